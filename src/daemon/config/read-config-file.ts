import { readFileSync } from 'node:fs'
import { parseJson } from '#lib'
import { keyOf, OPTIONS, UNSUPPORTED, type OptionName } from './options.ts'
import type { GivenOptions } from './parse-flags.ts'
import { maskCredentials } from './registry-values.ts'
import { fromJson, type OptionValue } from './values.ts'

const LIMITS = { maxBytes: 1 << 20, maxDepth: 16 }

/**
 * Options of daemon.json. A missing file is empty unless it was asked for by name. Throws Error with dockerd's text for keys that are unknown,
 * refused, of the wrong type, or given as a flag too.
 */
export function readConfigFile(path: string, flags: GivenOptions, options: { mustExist: boolean }): GivenOptions {
  try {
    return decode(readFileSync(path, 'utf8'), flags)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' && !options.mustExist) return {}
    const reason = code === 'ENOENT' ? `open ${path}: no such file or directory` : message
    throw new Error(`unable to configure the Docker daemon with file ${path}: ${reason}`, { cause: error })
  }
}

function decode(text: string, flags: GivenOptions): GivenOptions {
  if (text.trim() === '') return {}
  const file = parseJson(text, LIMITS)
  if (typeof file !== 'object' || file === null || Array.isArray(file)) throw new Error('the file holds no JSON object')
  const entries = flatten(file as Record<string, unknown>)
  const rowOf = (key: string): (typeof OPTIONS)[number] | undefined => OPTIONS.find((row) => keyOf(row) === key)

  const unknown = entries.map(([key]) => key).filter((key) => rowOf(key) === undefined && !UNSUPPORTED.has(key))
  if (unknown.length > 0)
    throw new Error(`the following directives don't match any configuration option: ${unknown.map(keyName).join(', ')}`)
  const refused = entries.map(([key]) => key).filter((key) => UNSUPPORTED.has(key))
  if (refused.length > 0) throw new Error(`the following directives are not supported: ${refused.join(', ')}`)

  const given: Partial<Record<OptionName, OptionValue>> = {}
  const conflicts: string[] = []
  for (const [key, value] of entries) {
    const row = rowOf(key)
    if (row === undefined) continue
    try {
      given[row.flag] = fromJson(row.kind, value)
    } catch (error) {
      throw new Error(`${key}: ${(error as Error).message}`, { cause: error })
    }
    const flag = flags[row.flag]
    if (flag !== undefined) conflicts.push(`${keyName(key)}: (from flag: ${show(flag)}, from file: ${show(given[row.flag])})`)
  }
  if (conflicts.length > 0) {
    throw new Error(`the following directives are specified both as a flag and in the configuration file: ${conflicts.join(', ')}`)
  }
  return given as GivenOptions
}

/** The one object whose members are options of their own. */
const PROXIES = 'proxies'

function flatten(file: Record<string, unknown>): [string, unknown][] {
  return Object.entries(file).flatMap(([key, value]): [string, unknown][] => {
    if (key !== PROXIES) return [[key, value]]
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new Error(`${PROXIES}: cannot use ${JSON.stringify(value)}: an object of strings is wanted`)
    return Object.entries(value).map(([name, text]) => [`${PROXIES}.${name}`, text])
  })
}

/** dockerd names members of an object without it. */
function keyName(key: string): string {
  return key.slice(key.indexOf('.') + 1)
}

/** As Go prints values: lists in brackets, separated by blanks. */
function show(value: OptionValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(' ')}]`
  return typeof value === 'object' ? JSON.stringify(value) : maskCredentials(String(value))
}
