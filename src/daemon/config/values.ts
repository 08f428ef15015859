import { parseRamBytes } from '#lib'
import type { AddressPool, OptionKind, OptionValues, Ulimit } from './options.ts'

/** A value of any option kind. */
export type OptionValue = OptionValues[keyof OptionValues]

/** A flag's text as a value; given again, lists and maps grow (`previous`). Throws Error with the reason. */
export function fromText(kind: OptionKind, text: string, previous: OptionValue | undefined): OptionValue {
  switch (kind) {
    case 'string':
      return text
    case 'boolean':
      return boolean(text)
    case 'integer':
      return integer(text)
    case 'bytes':
      return bytes(text)
    case 'list':
      return [...((previous as string[] | undefined) ?? []), text]
    case 'map': {
      const [key, value] = pair(text)
      return { ...(previous as Record<string, string> | undefined), [key]: value }
    }
    case 'ulimits':
      return [...((previous as Ulimit[] | undefined) ?? []), ulimit(text)]
    case 'pools':
      return [...((previous as AddressPool[] | undefined) ?? []), pool(text)]
  }
}

/** A value of daemon.json. Throws Error with the reason when it has the wrong type. */
export function fromJson(kind: OptionKind, value: unknown): OptionValue {
  switch (kind) {
    case 'string':
      return expect(typeof value === 'string', value, 'a string')
    case 'boolean':
      return expect(typeof value === 'boolean', value, 'true or false')
    case 'integer':
      return expect(Number.isInteger(value), value, 'an integer')
    case 'bytes':
      return typeof value === 'number' ? value : bytes(expect(typeof value === 'string', value, 'a size'))
    case 'list':
      return expect(Array.isArray(value) && value.every((item) => typeof item === 'string'), value, 'a list of strings')
    case 'map':
      return expect(isObject(value) && Object.values(value).every((item) => typeof item === 'string'), value, 'an object of strings')
    case 'ulimits':
      return Object.entries(expect<Record<string, unknown>>(isObject(value), value, 'an object')).map(([name, limit]) => ({
        name,
        soft: Number((limit as Record<string, unknown>)['Soft']),
        hard: Number((limit as Record<string, unknown>)['Hard']),
      }))
    case 'pools': {
      const list = expect<AddressPool[]>(Array.isArray(value) && value.every(isPool), value, 'a list of {base, size}')
      return list.map(({ base, size }) => ({ base, size }))
    }
  }
}

function isPool(value: unknown): boolean {
  return isObject(value) && typeof value['base'] === 'string' && Number.isInteger(value['size'])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function expect<T extends OptionValue | Record<string, unknown>>(holds: boolean, value: unknown, wanted: string): T {
  if (!holds) throw new Error(`cannot use ${JSON.stringify(value)}: ${wanted} is wanted`)
  return value as T
}

/** Go's strconv.ParseBool. */
function boolean(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`)
}

function integer(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

function bytes(text: string): number {
  try {
    return parseRamBytes(text)
  } catch {
    throw new Error(`invalid size: '${text}'`)
  }
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=')
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
}

function ulimit(text: string): Ulimit {
  const [name, limits] = pair(text)
  const [soft = '', hard = soft] = limits.split(':')
  if (name === '' || soft === '') throw new Error(`invalid ulimit argument: ${text}`)
  return { name, soft: integer(soft), hard: integer(hard) }
}

function pool(text: string): AddressPool {
  const parts = Object.fromEntries(text.split(',').map(pair))
  if (parts['base'] === undefined || parts['size'] === undefined) throw new Error(`invalid default address pool: ${text}`)
  return { base: parts['base'], size: integer(parts['size']) }
}
