#!/bin/bash
# Prints the path of docker compose v2, a plugin of the docker CLI.
exec "$(dirname "$0")/docker-plugin.sh" compose "$@"
