#!/bin/sh
# Sends the reminders that are due, and notes which version did.
version=$(sed -n 's/.*"version": "\(.*\)".*/\1/p' /package.json)
stop() { exit 0; }
trap stop TERM
while true; do
    psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 -c "UPDATE reminders SET sent_by = '$version' WHERE sent_by IS NULL" && : >/works
    busybox sleep 1 &
    wait $!
done
