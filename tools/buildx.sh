#!/bin/bash
# Prints the path of docker buildx, a plugin of the docker CLI.
# Usage: tools/buildx.sh [suite]   (trixie: 0.13; forky, sid: newer)
exec "$(dirname "$0")/docker-plugin.sh" buildx "$@"
