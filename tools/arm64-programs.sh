#!/bin/bash
# Prints a folder with what it takes to run programs for arm64 on amd64: `emulator/` has Debian's qemu-user-static for it, with its registration at binfmt_misc,
# as it lies on a machine where the package is installed; `busybox` is a static program for arm64. Nothing is installed. Kept in ~/.cache/gantry, keyed by this
# recipe. Uses the mirror that apt on this machine uses.
set -euo pipefail
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry
programs=$cache/arm64-$(sha256sum "$0" | cut -c1-16)
if [ ! -e "$programs" ]; then
  mkdir -p "$cache"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
  mkdir -p "$work"/{lists/partial,programs/emulator}
  echo "deb $mirror bookworm main" > "$work/sources.list"
  touch "$work/status"
  # Lists and state of its own: the machine's apt and dpkg never hear of another architecture.
  options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$work/lists"
    -o "Dir::State::status=$work/status" -o "Dir::Cache=$work" -o APT::Sandbox::User=root -o APT::Architecture=amd64 -o APT::Architectures::=amd64
    -o APT::Architectures::=arm64)
  (cd "$work" && apt-get "${options[@]}" update -qq && apt-get "${options[@]}" download -qq qemu-user-static:amd64 busybox-static:arm64) >"$work/log" 2>&1 ||
    { echo "programs for arm64 cannot be fetched: $(tail -1 "$work/log")" >&2; exit 1; }
  # The package has emulators of thirty machines, of which one is wanted.
  dpkg-deb --fsys-tarfile "$work"/qemu-user-static_*.deb |
    tar -x -C "$work/programs/emulator" ./usr/bin/qemu-aarch64-static ./usr/libexec/qemu-binfmt/aarch64-binfmt-P ./usr/lib/binfmt.d/qemu-aarch64.conf
  dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb | tar -xO ./bin/busybox > "$work/programs/busybox"
  chmod +x "$work/programs/busybox"
  cp -r "$work/programs" "$programs.$$"
  mv -T "$programs.$$" "$programs" 2>/dev/null || rm -rf "$programs.$$"
fi
echo "$programs"
