CREATE TABLE accounts (name text PRIMARY KEY, maintenance boolean NOT NULL DEFAULT false);
INSERT INTO accounts (name) VALUES ('acme'), ('globex');
