#!/bin/sh
# Without what it reads it could only show errors, so it does not start.
set -eu
export PGDATABASE=base

has() { psql --no-psqlrc --quiet --dbname="$1" -c "SELECT $2 LIMIT 0" >/dev/null; }

has base 'name, maintenance FROM accounts'
has reports 'account FROM visits'
for account in $(psql --no-psqlrc -At -c 'SELECT name FROM accounts'); do
    has "client_$account" 'name, email FROM members'
done
exec busybox httpd -f -p 8080 -h /www
