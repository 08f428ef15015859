#!/bin/sh
# Makes the starter image's root file system from Debian's busybox-static and prints the path of the tar. Kept in ~/.cache/gantry, keyed by the
# program's checksum and this recipe. No network is needed once the package is there.
set -eu
cd "$(dirname "$0")/.."
busybox=$(command -v busybox) || { echo "busybox is missing: apt-get install busybox-static" >&2; exit 1; }
key=$(cat "$busybox" "$0" | sha256sum | cut -c1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry
image=$cache/starter-$key.tar
if [ ! -e "$image" ]; then
  mkdir -p "$cache"
  root=$(mktemp -d)
  trap 'rm -rf "$root"' EXIT
  mkdir -p "$root/bin" "$root/sbin" "$root/usr/bin" "$root/usr/sbin" "$root/etc" "$root/home" "$root/var/spool" "$root/var/www"
  mkdir -m 1777 "$root/tmp"
  mkdir -m 700 "$root/root"
  cp "$busybox" "$root/bin/busybox"
  for applet in $("$busybox" --list); do
    [ "$applet" = busybox ] || ln "$root/bin/busybox" "$root/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n' > "$root/etc/passwd"
  printf 'root:x:0:\ndaemon:x:1:\nadm:x:4:www-data\nwww-data:x:33:\nnogroup:x:65534:\n' > "$root/etc/group"
  printf 'root:*::0:::::\n' > "$root/etc/shadow"
  tar -C "$root" --sort=name --owner=0 --group=0 --numeric-owner --mtime='@1700000000' -cf "$image.$$" .
  mv "$image.$$" "$image"
fi
echo "$image"
