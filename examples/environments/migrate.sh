#!/bin/sh
# migrate.sh       carries out the migrations that the database does not have yet, each in a transaction
# migrate.sh list  names them
# migrate.sh undo  takes back those that came with the deployment $PROMOTE_OF, the last one first
set -eu
export PGOPTIONS=--client-min-messages=warning

sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }

pending() {
    had=$(sql -c 'SELECT name FROM migrations')
    for file in /migrations/*.up.sql; do
        name=$(basename "$file" .up.sql)
        echo "$had" | grep -qx "$name" || echo "$name"
    done
}

sql -c 'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, deployment text NOT NULL)'
case ${1:-} in
list) pending ;;
undo)
    for name in $(sql -c "SELECT name FROM migrations WHERE deployment = '$PROMOTE_OF' ORDER BY name DESC"); do
        echo "taking back $name"
        sql --single-transaction -f "/migrations/$name.down.sql" -c "DELETE FROM migrations WHERE name = '$name'"
    done
    ;;
*)
    for name in $(pending); do
        echo "migrating $name"
        sql --single-transaction -f "/migrations/$name.up.sql" -c "INSERT INTO migrations VALUES ('$name', '$PROMOTE_DEPLOYMENT')"
    done
    ;;
esac
