#!/bin/bash
# Prints the path of a tar with Debian's root file system and what projects are built with: a C compiler, make, Python, Node.
exec "$(dirname "$0")/debootstrap-image.sh" toolchain gcc,libc6-dev,make,python3-minimal,nodejs
