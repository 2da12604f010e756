#!/bin/sh
# migrate.sh         carries out the migrations that the database does not have yet, each in a transaction
# migrate.sh list    names them
# migrate.sh undo    takes back those that came with a deployment, the last one first
# migrate.sh undo 2  takes back the last two
#
# What takes a migration back is kept in the database, since the version before has no file for it.
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

carry_out() {
    sql --single-transaction --set=name="$1" --set=undo="$(cat "/migrations/$1.down.sql")" \
        --set=deployment="$PROMOTE_DEPLOYMENT" -f "/migrations/$1.up.sql" -f - <<'SQL'
INSERT INTO migrations VALUES (:'name', :'undo', :'deployment');
SQL
}

take_back() {
    undo=$(sql -c "SELECT undo FROM migrations WHERE name = '$1'")
    sql --single-transaction -c "$undo" -c "DELETE FROM migrations WHERE name = '$1'"
}

sql -c 'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, undo text NOT NULL, deployment text NOT NULL)'
case ${1:-} in
list) pending ;;
undo)
    which="WHERE deployment = '$PROMOTE_OF' ORDER BY name DESC"
    [ $# = 1 ] || which="ORDER BY name DESC LIMIT $2"
    names=$(sql -c "SELECT name FROM migrations $which")
    for name in $names; do
        echo "taking back $name"
        take_back "$name"
    done
    ;;
*)
    names=$(pending)
    for name in $names; do
        echo "migrating $name"
        carry_out "$name"
    done
    ;;
esac
