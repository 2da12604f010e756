#!/bin/sh
# migrate.sh KIND            carries out what the databases of a kind (base, clients, reports) do not have yet
# migrate.sh KIND list       names that
# migrate.sh KIND undo       takes back what came with a deployment
# migrate.sh KIND undo NAME  takes back what came after NAME
#
# An account whose database is worked on is in maintenance meanwhile. What takes a migration back is kept in the
# database, since the version before has no file for it.
set -eu
export PGOPTIONS=--client-min-messages=warning
kind=$1 what=${2:-migrate} to=${3:-}

query() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }
base() { query --dbname=base -c "$1"; }
here() { query --dbname="$database" "$@"; }

databases() {
    case $kind in
    clients) base "SELECT 'client_' || name FROM accounts ORDER BY name" ;;
    *) echo "$kind" ;;
    esac
}

maintenance() {
    [ "$kind" != clients ] || base "UPDATE accounts SET maintenance = $1 WHERE 'client_' || name = '$database'"
}

exists() { [ -n "$(base "SELECT 1 FROM pg_database WHERE datname = '$database'")" ]; }

prepare() {
    exists || base "CREATE DATABASE $database"
    here -c 'CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, undo text NOT NULL, deployment text NOT NULL)'
}

pending() {
    had=
    if exists && [ -n "$(here -c "SELECT to_regclass('migrations')")" ]; then
        had=$(here -c 'SELECT name FROM migrations')
    fi
    for file in /migrations/"$kind"/*.up.sql; do
        name=$(basename "$file" .up.sql)
        echo "$had" | grep -qx "$name" || echo "$name"
    done
}

carry_out() {
    here --single-transaction --set=name="$1" --set=undo="$(cat "/migrations/$kind/$1.down.sql")" \
        --set=deployment="$PROMOTE_DEPLOYMENT" -f "/migrations/$kind/$1.up.sql" -f - <<'SQL'
INSERT INTO migrations VALUES (:'name', :'undo', :'deployment');
SQL
}

to_undo() {
    if [ -z "$to" ]; then
        here -c "SELECT name FROM migrations WHERE deployment = '$PROMOTE_OF' ORDER BY name DESC"
    elif [ -n "$(here -c "SELECT 1 FROM migrations WHERE name = '$to'")" ]; then
        here -c "SELECT name FROM migrations WHERE name > '$to' ORDER BY name DESC"
    else
        echo "$database has no migration '$to' to go back to" >&2
        return 1
    fi
}

take_back() {
    undo=$(here -c "SELECT undo FROM migrations WHERE name = '$1'")
    here --single-transaction -c "$undo" -c "DELETE FROM migrations WHERE name = '$1'"
}

# In parentheses, which is a shell of its own: however it ends, the account's maintenance ends with it.
work() (
    prepare
    if [ "$1" = undo ]; then names=$(to_undo); else names=$(pending); fi
    [ -n "$names" ] || return 0
    trap 'maintenance false' EXIT
    maintenance true
    for name in $names; do
        echo "$database: $1 $name"
        if [ "$1" = undo ]; then take_back "$name"; else carry_out "$name"; fi
    done
)

names=$(databases)
for database in $names; do
    case $what in
    list)
        waiting=$(pending)
        echo "$waiting" | sed -n "s/^./$database: &/p"
        ;;
    *) work "$what" ;;
    esac
done
