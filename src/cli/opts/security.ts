import { readFileSync } from 'node:fs'

export interface SecurityOptions {
  options: string[]
  /** Empty lists for `systempaths=unconfined`; null takes the daemon's own. */
  maskedPaths: string[] | null
  readonlyPaths: string[] | null
}

/** Names of built-in profiles; anything else is a file. */
const BUILT_IN_PROFILES = ['builtin', 'unconfined']

/**
 * `--security-opt`: a seccomp profile file is read here and sent as JSON, for the daemon may be on another machine;
 * `systempaths=unconfined` becomes empty lists of masked and read-only paths. Throws Error with Docker's text.
 */
export function parseSecurityOptions(given: readonly string[]): SecurityOptions {
  const result: SecurityOptions = { options: [], maskedPaths: null, readonlyPaths: null }
  for (const option of given) {
    // `key:value` is the old spelling.
    const separator = option.includes('=') ? option.indexOf('=') : option.indexOf(':')
    const key = separator < 0 ? option : option.slice(0, separator)
    const value = separator < 0 ? '' : option.slice(separator + 1)
    if (value === '' && key !== 'no-new-privileges') throw new Error(`Invalid --security-opt: ${JSON.stringify(option)}`)
    if (option === 'systempaths=unconfined') {
      result.maskedPaths = []
      result.readonlyPaths = []
    } else if (key === 'seccomp' && !BUILT_IN_PROFILES.includes(value)) result.options.push(`seccomp=${readProfile(value)}`)
    else result.options.push(option)
  }
  return result
}

function readProfile(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`opening seccomp profile (${path}) failed: open ${path}: no such file or directory`, { cause: error })
  }
  try {
    return JSON.stringify(JSON.parse(text))
  } catch (error) {
    throw new Error(`compacting json for seccomp profile (${path}) failed: ${(error as Error).message}`, { cause: error })
  }
}
