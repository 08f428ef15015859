#!/bin/bash
# Makes a Debian root file system by debootstrap and prints the path of its tar. Kept in ~/.cache/gantry, keyed by this recipe and the packages. Uses the
# mirror that apt on this machine uses.
# Usage: tools/debootstrap-image.sh NAME PACKAGE,PACKAGE…
set -euo pipefail
name=$1 packages=$2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry
key=$(cat "$0" <(echo "$packages") | sha256sum | cut -c1-16)
image=$cache/$name-$key.tar
if [ ! -e "$image" ]; then
  mkdir -p "$cache"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
  root=$(mktemp -d)
  trap 'rm -rf --one-file-system "$root"' EXIT
  # In namespaces of its own: what debootstrap and the packages mount or start ends with it.
  unshare -m --propagation private debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror" >"$cache/debootstrap-$name.log" 2>&1
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/etc/apt/sources.list "$root"/proc/* "$root"/sys/* "$root"/dev/*
  tar -C "$root" --xattrs --numeric-owner -cf "$image.$$" .
  mv "$image.$$" "$image"
fi
echo "$image"
