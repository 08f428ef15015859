#!/bin/bash
# Installs the Debian packages of a group when they are missing, and says so. Groups: build, test, vm, bench.
# Needs root and apt; on other systems it names what has to be there and goes on.
set -euo pipefail

declare -A groups=(
  [build]="gcc:gcc make:make musl-tools:musl-gcc libc6-dev:- busybox-static:busybox"
  [test]="nftables:nft iproute2:ip curl:curl busybox-static:busybox debootstrap:debootstrap skopeo:skopeo umoci:umoci openssl:openssl git:git
    docker.io:docker python3-docker:- docker-compose:docker-compose docker-registry:docker-registry buildah:buildah attr:setfattr libcap2-bin:setcap dnsmasq-base:dnsmasq bind9-dnsutils:dig
    bzip2:bzip2 xz-utils:xz zstd:zstd openssh-client:ssh openssh-server:sshd"
  [vm]="qemu-system-x86:qemu-system-x86_64 busybox-static:busybox cpio:cpio"
  [bench]="docker.io:dockerd containerd:containerd runc:runc wrk:wrk iperf3:iperf3 iproute2:ip debootstrap:debootstrap
    docker-registry:docker-registry skopeo:skopeo attr:setfattr libcap2-bin:setcap openssl:openssl curl:curl"
)

missing=()
for entry in ${groups[$1]}; do
  package=${entry%%:*} program=${entry##*:}
  if [ "$program" = - ]; then
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  else
    command -v "$program" >/dev/null || missing+=("$package")
  fi
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "setup: please install: ${missing[*]}" >&2
  exit 0
fi
echo "setup: apt-get install ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# policy-rc.d keeps a freshly installed peer (docker.io, nginx …) from starting a service on this machine.
policy=/usr/sbin/policy-rc.d made=
if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; made=1; fi
trap '[ -n "$made" ] && rm -f $policy' EXIT
apt-get update -qq
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
