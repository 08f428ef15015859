#!/bin/bash
# Prints the path of a tar with Debian's root file system and nginx, redis and PostgreSQL in it.
exec "$(dirname "$0")/debootstrap-image.sh" debian nginx-light,redis-server,postgresql
