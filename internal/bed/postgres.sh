#!/bin/sh
# What the official image's docker-entrypoint.sh does, as far as tests go.
set -eu

case "${1:-}" in
-*) set -- postgres "$@" ;;
esac
[ "${1:-}" = postgres ] || exec "$@"

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    mkdir -p -m 1777 /tmp
    chown -R postgres:postgres "$PGDATA" /var/run/postgresql
    exec su postgres -c 'exec /docker-entrypoint.sh "$@"' sh "$@"
fi

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    user=${POSTGRES_USER:-postgres}
    database=${POSTGRES_DB:-$user}
    if [ -z "${POSTGRES_PASSWORD:-}" ]; then
        echo "error: the database is empty, and POSTGRES_PASSWORD is not set" >&2
        exit 1
    fi
    umask 077
    echo "$POSTGRES_PASSWORD" >/tmp/password
    initdb --username="$user" --pwfile=/tmp/password --auth-local=trust --auth-host=trust --encoding=UTF8 --locale=C
    rm /tmp/password
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
    if [ "$database" != postgres ]; then
        echo "CREATE DATABASE \"$database\"" | postgres --single postgres
    fi
fi
exec "$@"
