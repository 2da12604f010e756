CREATE TABLE freelancers (id serial PRIMARY KEY, name text NOT NULL, email text NOT NULL UNIQUE);
INSERT INTO freelancers (name, email) VALUES ('Tester', 'tester@example.org');
