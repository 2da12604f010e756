#!/bin/sh
# Carries out the migrations that the database does not have yet, each in a transaction.
set -eu
export PGOPTIONS=--client-min-messages=warning

sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }

sql -c 'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)'
for file in /migrations/*.sql; do
    name=$(basename "$file")
    [ -z "$(sql -c "SELECT 1 FROM migrations WHERE name = '$name'")" ] || continue
    echo "migrating $name"
    sql --single-transaction -f "$file" -c "INSERT INTO migrations VALUES ('$name')"
done
