#!/bin/sh
# What CI does with every commit on main: two branches that pass may not pass together.
set -eu
sh ci/tests.sh
promote bump auto
promote deploy staging
promote deploy prod
