import { readFileSync } from 'node:fs'
import { openFailure } from '../open-failure.ts'

type Environment = Readonly<Record<string, string | undefined>>

const UTF8_BOM = '\ufeff'

/** `-e NAME` takes the value from the environment, when it is there. Throws Error for an empty name. */
export function checkEnv(text: string, env: Environment): string {
  const name = text.split('=', 1)[0] ?? ''
  if (name === '') throw new Error(`invalid environment variable: ${text}`)
  const value = env[name]
  return text.includes('=') || value === undefined ? text : `${name}=${value}`
}

/** `key=value` or `key`; the key may not be empty or contain white space. */
export function checkLabel(text: string): string {
  const key = (text.split('=', 1)[0] ?? '').replace(/^[ \t]+/, '')
  if (key === '') throw new Error(`invalid label '${text}': empty name`)
  if (/[ \t]/.test(key)) throw new Error(`label '${key}' contains whitespaces`)
  return text
}

/** `{ a: '1' }` of `['a=1']`; a missing value is empty, the last one wins. */
export function toMap(entries: readonly string[]): Record<string, string> {
  const map: Record<string, string> = Object.create(null) as Record<string, string>
  for (const entry of entries) {
    const equals = entry.indexOf('=')
    if (equals < 0) map[entry] = ''
    else map[entry.slice(0, equals)] = entry.slice(equals + 1)
  }
  return { ...map }
}

/**
 * Lines `key=value` of the files, then the entries given one by one, so that those win. With `env`, a line without `=` takes its value from
 * there; a line that has none is left out. Throws Error with Docker's text for a file that cannot be read or a line that cannot be.
 */
export function readKeyValues(files: readonly string[], entries: readonly string[], env?: Environment): string[] {
  return [...files.flatMap((file) => readFile(file, env)), ...entries]
}

function readFile(path: string, env: Environment | undefined): string[] {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    throw new Error(openFailure(path, error), { cause: error })
  }
  const entries: string[] = []
  const text = decode(path, bytes)
  for (const raw of text.replace(UTF8_BOM, '').split('\n')) {
    // Leading white space is dropped; a value is passed through untouched, a final carriage return excepted, as line readers do.
    const line = raw.trimStart().replace(/\r$/, '')
    if (line === '' || line.startsWith('#')) continue
    const equals = line.indexOf('=')
    const name = equals < 0 ? line : line.slice(0, equals)
    if (/[ \t]/.test(name)) throw new Error(`invalid env file (${path}): variable '${name}' contains whitespaces`)
    if (name === '') throw new Error(`invalid env file (${path}): no variable name on line '${line}'`)
    const value = equals < 0 ? env?.[name] : line.slice(equals + 1)
    if (value !== undefined) entries.push(`${name}=${value}`)
  }
  return entries
}

function decode(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new Error(`invalid env file (${path}): invalid utf8 bytes`, { cause: error })
  }
}
