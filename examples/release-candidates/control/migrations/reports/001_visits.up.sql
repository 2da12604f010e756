CREATE TABLE visits (account text NOT NULL, at timestamptz NOT NULL DEFAULT now());
