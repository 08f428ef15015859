/** Limits of setrlimit(2) in the spelling of `--ulimit`. Without `as`, as with Docker: starting the container would need more. Source: docker/go-units ulimit.go. */
export const ULIMIT_NAMES: ReadonlySet<string> = new Set([
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
])
