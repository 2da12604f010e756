DROP TABLE freelancers;
