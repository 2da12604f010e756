#!/bin/sh
# collectstatic.sh       serves the static files of this release, and keeps those that were served before
# collectstatic.sh undo  serves again what the deployment $PROMOTE_OF replaced
set -eu
cd /www/static

if [ "${1:-}" = undo ]; then
    from=.before/$PROMOTE_OF
else
    from=/static
    mkdir -p ".before/$PROMOTE_DEPLOYMENT"
    [ -z "$(ls)" ] || cp -R ./* ".before/$PROMOTE_DEPLOYMENT"
fi
cp -R "$from/." .
ls "$from"
