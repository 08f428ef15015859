#!/bin/bash
# Prints a folder with what a QEMU guest boots: Debian's cloud kernel (vmlinuz), a small initrd, and modules/ for the guest to load. Kept in ~/.cache/gantry,
# keyed by this recipe.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry
kernel=$cache/vm-kernel-$(sha256sum "$0" | cut -c1-16)
if [ ! -e "$kernel" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }')
  [ -n "$package" ] || { apt-get update -qq; package=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends: linux-image/ { print $2; exit }'); }
  (cd "$work" && apt-get download -qq "$package" 2>/dev/null && dpkg-deb -x ./*.deb tree)
  mkdir -p "$work"/kernel/modules "$work"/initrd/{bin,dev,proc,new}
  # Modules with everything they need; the guest finds the order.
  find "$work/tree/lib/modules" -name '*.ko' | grep -E '/(virtio[a-z_]*|failover|net_failover|overlay|veth|bridge|stp|llc|ipv6|nfnetlink|nf_tables|nft_[a-z_]+|nf_nat|nf_conntrack|nf_defrag_ipv[46]|nf_reject_ipv[46]|nf_reject_inet|nft_fib[a-z_0-9]*|libcrc32c|crc32c_generic|binfmt_misc)\.ko$' |
    xargs cp -t "$work/kernel/modules"
  cp "$(command -v busybox)" "$work/initrd/bin/busybox"
  cp "$work"/kernel/modules/virtio*.ko "$work/initrd/"
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
  (cd "$work/initrd" && find . | cpio -o -H newc --quiet | gzip -1) > "$work/kernel/initrd"
  cp "$work"/tree/boot/vmlinuz-* "$work/kernel/vmlinuz"
  # Whole or not at all; another run may have been faster.
  cp -r "$work/kernel" "$kernel.$$"
  mv -T "$kernel.$$" "$kernel" 2>/dev/null || rm -rf "$kernel.$$"
fi
echo "$kernel"
