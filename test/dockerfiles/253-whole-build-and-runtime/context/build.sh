#!/bin/sh
set -e
mkdir out
cat src/*.txt >out/program
echo "version $1" >>out/program
chmod 755 out/program
