#!/bin/sh
# What has to pass before a branch is merged, and again when it was.
set -eu
for link in $(grep -ho 'cgi-bin/[a-z]*' www/*.html); do # front end
    test -x "www/$link" || { echo "a page links to $link, which is not there"; exit 1; }
done
for script in *.sh www/cgi-bin/*; do # back end
    sh -n "$script"
done
for up in migrations/*.up.sql; do
    test -e "${up%.up.sql}.down.sql" || { echo "nothing takes back $up"; exit 1; }
done
