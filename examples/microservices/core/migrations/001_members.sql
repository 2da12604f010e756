CREATE TABLE members (id serial PRIMARY KEY, name text NOT NULL);
INSERT INTO members (name) VALUES ('Ada'), ('Grace');
