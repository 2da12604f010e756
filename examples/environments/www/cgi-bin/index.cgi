#!/bin/sh
# The page itself. While the database is migrated it says so.
if [ -e /www/static/.maintenance ]; then
    printf 'Status: 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Type: text/html\r\n\r\n'
    cat /maintenance.html
elif freelancers=$(psql --no-psqlrc -At -c "SELECT '<li>' || name FROM freelancers ORDER BY id"); then
    printf 'Content-Type: text/html\r\n\r\n'
    echo "<title>$SITE_TITLE</title><link rel=\"stylesheet\" href=\"/static/style.css\"><ul>$freelancers</ul>"
else
    printf 'Status: 503 Service Unavailable\r\n\r\n'
fi
