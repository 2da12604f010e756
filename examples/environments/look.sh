#!/bin/sh
# Looks at what is there before the maintenance page goes.
set -eu
: "${SITE_TITLE:?}"
busybox wget -q -O - http://127.0.0.1:8080/cgi-bin/health
busybox wget -q -O - http://127.0.0.1:8080/static/style.css | cmp - /static/style.css
