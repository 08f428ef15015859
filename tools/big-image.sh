#!/bin/bash
# Makes a Debian image of about 520 MB in six layers and prints the path of its directory: `oci/` (an OCI layout with gzip layers) and
# `archive.tar` (as `docker save` writes it, layers uncompressed). The layers are the root file system of tools/debian-image.sh cut in five, and one
# with what images seldom have: hard-linked files, holes, devices, extended attributes, capabilities, long names. Kept in ~/.cache/gantry.
set -euo pipefail
cd "$(dirname "$0")/.."
base=$(tools/debian-image.sh)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry
key=$(cat "$0" <(basename "$base") | sha256sum | cut -c1-16)
image=$cache/big-$key
if [ -e "$image/archive.tar" ]; then echo "$image"; exit; fi

work=$(mktemp -d "$cache/big.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
root=$work/root layers=$work/layers oci=$work/out/oci
mkdir -p "$root" "$layers" "$oci/blobs/sha256" "$work/top/special"
tar -C "$root" --xattrs --numeric-owner -xpf "$base"

# Five lists of about the same number of bytes, by name; all directories are in the first.
(cd "$root" && find . -mindepth 1 -printf '%s\t%y\t%n\t%i\t%p\n') | sort -t$'\t' -k5 > "$work/all"
total=$(awk -F'\t' '$2 == "f" { sum += $1 } END { printf "%.0f", sum }' "$work/all")
# Hard links stay in the layer of their first name: a link cannot lead into another layer's archive.
awk -F'\t' -v share=$((total / 6)) -v out="$layers/list" '
  BEGIN { current = 1 }
  { part = current }
  $2 == "d" { part = 1 }
  $2 == "f" { if ($3 > 1 && $4 in home) part = home[$4]; else { home[$4] = part; sum += $1 } }
  { print $5 > (out part) }
  sum >= share && current < 5 { current++; sum = 0 }' "$work/all"
for part in 1 2 3 4 5; do tar -C "$root" --xattrs --numeric-owner --no-recursion -T "$layers/list$part" -cf "$layers/$part.tar"; done

# The same bytes at each making: AES of zeros, as text so that it compresses like programs do.
head -c 36000000 /dev/zero | openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 2>/dev/null | base64 -w 99 | split -b 500k - "$work/top/special/data-"
(
  cd "$work/top/special"
  truncate -s 4M holes && printf end | dd of=holes bs=1 seek=$((2 << 20)) conv=notrunc status=none
  ln data-aa hard-link && ln -s ../etc/passwd symlink && mkfifo fifo && mknod null c 1 3 && mknod loop b 7 0
  printf x > "$(printf 'n%.0s' {1..200})" && printf x > $'unicode-\xc3\xa9' && printf x > setuid && chmod 6755 setuid && chown 1234:4321 setuid
  setfattr -n user.note -v hello data-aa 2>/dev/null || true
  cp /bin/true capable && setcap cap_net_raw+ep capable 2>/dev/null || true
  mkdir sticky && chmod 1777 sticky && touch -d '2001-02-03 04:05:06.123456789' data-ab
)
tar -C "$work/top" --xattrs --numeric-owner --sort=name --format=posix -cf "$layers/6.tar" special

blob() { # path → digest; the file moves into the layout
  local digest; digest=$(sha256sum "$1" | cut -d' ' -f1)
  mv "$1" "$oci/blobs/sha256/$digest"
  echo "$digest"
}
descriptor() { printf '{"mediaType":"%s","digest":"sha256:%s","size":%s}' "$1" "$2" "$(stat -c %s "$oci/blobs/sha256/$2")"; }

diffs=() descriptors=() names=()
for part in 1 2 3 4 5 6; do
  diff=$(sha256sum "$layers/$part.tar" | cut -d' ' -f1)
  gzip -n -6 -c "$layers/$part.tar" > "$layers/$part.gz"
  mkdir -p "$work/archive/$diff" && mv "$layers/$part.tar" "$work/archive/$diff/layer.tar"
  diffs+=("\"sha256:$diff\"") names+=("\"$diff/layer.tar\"")
  descriptors+=("$(descriptor application/vnd.oci.image.layer.v1.tar+gzip "$(blob "$layers/$part.gz")")")
done
join() { local IFS=,; echo "$*"; }
history=$(for part in 1 2 3 4 5 6; do printf '{"created":"2024-01-01T00:00:00Z","created_by":"part %s"}\n' $part; done | paste -sd,)
printf '{"architecture":"amd64","os":"linux","created":"2024-01-01T00:00:00Z","config":{"Cmd":["bash"],"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},"rootfs":{"type":"layers","diff_ids":[%s]},"history":[%s]}' "$(join "${diffs[@]}")" "$history" > "$work/config"
cp "$work/config" "$work/archive/config.json"
config=$(blob "$work/config")
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}' "$(descriptor application/vnd.oci.image.config.v1+json "$config")" "$(join "${descriptors[@]}")" > "$work/manifest"
manifest=$(blob "$work/manifest")
printf '{"schemaVersion":2,"manifests":[%s]}' "$(descriptor application/vnd.oci.image.manifest.v1+json "$manifest")" > "$oci/index.json"
printf '{"imageLayoutVersion":"1.0.0"}' > "$oci/oci-layout"
printf '[{"Config":"config.json","RepoTags":["big:latest"],"Layers":[%s]}]' "$(join "${names[@]}")" > "$work/archive/manifest.json"
(cd "$work/archive" && tar -cf "$work/out/archive.tar" config.json */layer.tar manifest.json)
rm -rf "$image"
mv "$work/out" "$image"
echo "$image"
