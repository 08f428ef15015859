import { int, string, type Flag } from '../../parser/flag.ts'

const TIMEOUT = 'Seconds to wait before killing the container'

/** How `stop` and `restart` end a container. */
export const STOP_FLAGS: { signal: Flag<string>; timeout: Flag<number>; time: Flag<number> } = {
  signal: string('Signal to send to the container', { short: 's' }),
  timeout: int(TIMEOUT, { short: 't' }),
  time: int(TIMEOUT, { hidden: true, aliasOf: 'timeout' }),
}

/** As the API takes it: what is not given is the container's own. */
export function stopOptions(
  flags: { signal: string; timeout: number },
  changed: ReadonlySet<string>,
): { signal?: string; timeout?: number } {
  return {
    ...(flags.signal === '' ? {} : { signal: flags.signal }),
    ...(changed.has('timeout') ? { timeout: flags.timeout } : {}),
  }
}
