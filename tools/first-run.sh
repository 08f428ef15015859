#!/bin/bash
# `make run`: starts the daemon when it is not there, runs a first container from an image made here, and says what to try next.
# `tools/first-run.sh stop` ends both. GANTRY_RUN_ROOT moves data and state (default: the daemon's own places).
set -euo pipefail
cd "$(dirname "$0")/.."

socket=/var/run/gantry.sock
data=/var/lib/gantry
state=/run/gantry
if [ -n "${GANTRY_RUN_ROOT:-}" ]; then
  mkdir -p "$GANTRY_RUN_ROOT"
  socket=$GANTRY_RUN_ROOT/gantry.sock data=$GANTRY_RUN_ROOT/data state=$GANTRY_RUN_ROOT/state
fi
pidfile=$state/gantry.pid
log=$state/daemon.log
export DOCKER_HOST=unix://$socket

if [ "${1:-}" = stop ]; then
  pid=$(cat "$pidfile" 2>/dev/null || true)
  # The file of a daemon that was killed stays behind.
  if [ -z "$pid" ] || ! kill -0 "$pid" 2>/dev/null; then echo "make stop: no daemon of make run is running"; exit 0; fi
  bin/gantry ps -q | xargs -r bin/gantry stop -t 2 >/dev/null
  kill "$pid"
  while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
  echo "The daemon has ended. Images and volumes are kept in $data."
  exit 0
fi

if [ "$(id -u)" != 0 ]; then
  echo "make run: the daemon needs root (namespaces, overlay, nftables); try: sudo make run" >&2
  exit 1
fi

if bin/gantry version >/dev/null 2>&1; then
  echo "A daemon answers at $socket already."
else
  mkdir -p "$state"
  echo "Starting the daemon: bin/gantry daemon --data-root $data --exec-root $state --host $DOCKER_HOST (log: $log)"
  setsid bin/gantry daemon --data-root "$data" --exec-root "$state" --host "$DOCKER_HOST" --pidfile "$pidfile" >>"$log" 2>&1 </dev/null &
  for _ in $(seq 200); do
    bin/gantry version >/dev/null 2>&1 && break
    sleep 0.05
  done
  bin/gantry version >/dev/null || { echo "The daemon did not start:" >&2; tail -20 "$log" >&2; exit 1; }
fi

if ! bin/gantry image inspect busybox >/dev/null 2>&1; then
  echo "Making a starter image from Debian's busybox-static (no registry needed)"
  bin/gantry import --change 'CMD ["sh"]' "$(tools/starter-image.sh)" busybox:latest >/dev/null
fi

echo "Running: gantry run --rm busybox echo ..."
bin/gantry run --rm busybox echo "Hello from a container of Gantry."

here=$PWD/bin/gantry
cat <<EOF

The engine is up. To try next (with the official client: export DOCKER_HOST=$DOCKER_HOST):

  export DOCKER_HOST=$DOCKER_HOST
  alias gantry=$here
  gantry run -it --rm busybox                                       # a shell; ctrl-p ctrl-q detaches
  gantry run -d --name web -p 8080:80 busybox sh -c 'echo hello > /var/www/index.html; httpd -f -h /var/www'
  curl http://127.0.0.1:8080/
  gantry ps; gantry logs web; gantry stats --no-stream; gantry rm -f web
  printf 'FROM busybox\nRUN echo built > /message\nCMD ["cat", "/message"]\n' | gantry build -t message -
  gantry run --rm message
  gantry pull debian                                                # from Docker Hub; mirrors and private registries: docs/registries.md
  make stop                                                         # end it again

EOF
