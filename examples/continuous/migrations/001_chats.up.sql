CREATE TABLE chats (title text PRIMARY KEY);
CREATE TABLE reminders (id serial PRIMARY KEY, text text NOT NULL, sent_by text);
INSERT INTO chats VALUES ('Forms and how to validate them');
