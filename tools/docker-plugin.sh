#!/bin/bash
# Prints the path of a plugin of the docker CLI: Debian's package of a release after bookworm, taken out into ~/.cache/gantry. Nothing is installed.
# Uses the mirror that apt on this machine uses; exits with 1, and says why, when the package cannot be had there.
# Usage: tools/docker-plugin.sh buildx|compose [suite]   (buildx in trixie: 0.13; forky, sid: newer)
set -euo pipefail
name=$1 suite=${2:-trixie}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/gantry/$name-$suite
plugin=$cache/usr/libexec/docker/cli-plugins/docker-$name
if [ ! -x "$plugin" ]; then
  mkdir -p "$(dirname "$cache")"
  # Test files run at the same time: of several that want it, one makes it, and nobody takes away what another has just got.
  exec 9> "$cache.lock"
  flock 9
fi
if [ ! -x "$plugin" ]; then
  command -v apt-get >/dev/null || { echo "$name is fetched with apt, which is not here" >&2; exit 1; }
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -1)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
  echo "deb $mirror $suite main" >"$work/sources.list"
  # Lists and state of its own: the machine's apt never hears of the other release.
  touch "$work/status"
  options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::Lists=$work/lists"
    -o "Dir::State::status=$work/status" -o "Dir::Cache=$work" -o "Dir::Cache::archives=$work/archives" -o APT::Sandbox::User=root)
  (cd "$work" && apt-get "${options[@]}" update -qq && apt-get "${options[@]}" download -qq "docker-$name") >"$work/log" 2>&1 ||
    { echo "$name cannot be fetched: $(tail -1 "$work/log")" >&2; exit 1; }
  dpkg-deb -x "$work/docker-$name"_*.deb "$work/root"
  # Whole or not at all: it is made on another file system, perhaps.
  rm -rf "$cache" "$cache.new"
  cp -r "$work/root" "$cache.new"
  mv -T "$cache.new" "$cache"
fi
echo "$plugin"
