#!/bin/sh
# The whole of it: the front end, the back end, the database, and the worker that has the same version.
set -eu
version=$(sed -n 's/.*"version": "\(.*\)".*/\1/p' /package.json)
busybox wget -q -O - http://127.0.0.1:8080/ | grep -o '<title>.*</title>'
busybox wget -q -O /dev/null http://127.0.0.1:8080/cgi-bin/chats
psql --no-psqlrc -c "INSERT INTO reminders VALUES (DEFAULT, 'integration')" >/dev/null
for try in 1 2 3 4 5 6 7 8 9 10; do
    busybox sleep 1
    left=$(psql --no-psqlrc -At -c 'SELECT count(*) FROM reminders WHERE sent_by IS NULL')
    [ "$left" = 0 ] && break
done
psql --no-psqlrc -At -c "SELECT 'sent by ' || sent_by FROM reminders ORDER BY id DESC LIMIT 1" | grep -x "sent by $version"
