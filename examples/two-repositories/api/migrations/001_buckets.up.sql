CREATE TABLE buckets (name text PRIMARY KEY, euros numeric NOT NULL);
INSERT INTO buckets VALUES ('Bread', 120), ('Roses', 80);
