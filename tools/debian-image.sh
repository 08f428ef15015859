#!/bin/bash
# Makes a Debian root file system with nginx, redis and PostgreSQL by debootstrap and prints the path of its tar. Kept in ~/.cache/gantry,
# keyed by this recipe. Uses the mirror that apt on this machine uses.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry
key=$(sha256sum "$0" | cut -c1-16)
image=$cache/debian-$key.tar
if [ ! -e "$image" ]; then
  mkdir -p "$cache"
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
  root=$(mktemp -d)
  trap 'rm -rf --one-file-system "$root"' EXIT
  # In namespaces of its own: what debootstrap and the packages mount or start ends with it.
  unshare -m --propagation private debootstrap --variant=minbase --include=nginx-light,redis-server,postgresql bookworm "$root" "$mirror" >"$cache/debootstrap.log" 2>&1
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/etc/apt/sources.list "$root"/proc/* "$root"/sys/* "$root"/dev/*
  tar -C "$root" --xattrs --numeric-owner -cf "$image.$$" .
  mv "$image.$$" "$image"
fi
echo "$image"
