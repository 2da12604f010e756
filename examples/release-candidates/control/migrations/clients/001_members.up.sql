CREATE TABLE members (name text PRIMARY KEY, email text NOT NULL);
INSERT INTO members VALUES ('Ada', 'ada@example.org'), ('Grace', 'grace@example.org');
