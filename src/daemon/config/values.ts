import { parseGoBoolean, parseRamBytes } from '#lib'
import { builderOptions } from './builder-values.ts'
import type { AddressPool, DriverOptions, OptionKind, OptionValues, Ulimit } from './options.ts'

/** A value of any option kind. */
export type OptionValue = OptionValues[keyof OptionValues]

/** A flag's text as a value; given again, lists and maps grow (`previous`). Throws Error with the reason. */
export function fromText(kind: OptionKind, text: string, previous: OptionValue | undefined): OptionValue {
  switch (kind) {
    case 'string':
      return text
    case 'boolean':
      return parseGoBoolean(text)
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
    case 'builder':
      throw new Error('it is a key of daemon.json only')
    case 'driver-options':
      return driverOption((previous as DriverOptions | undefined) ?? {}, text)
  }
}

/** A value of daemon.json. Throws Error with the reason when it has the wrong type. */
export function fromJson(kind: OptionKind, value: unknown): OptionValue {
  switch (kind) {
    case 'string':
      if (isText(value)) return value
      throw wrongType(value, 'a string')
    case 'boolean':
      if (typeof value === 'boolean') return value
      throw wrongType(value, 'true or false')
    case 'integer':
      if (Number.isInteger(value)) return value as number
      throw wrongType(value, 'an integer')
    case 'bytes':
      if (typeof value === 'number') return value
      if (isText(value)) return bytes(value)
      throw wrongType(value, 'a size')
    case 'list':
      if (Array.isArray(value) && value.every(isText)) return value
      throw wrongType(value, 'a list of strings')
    case 'map':
      if (isObject(value) && Object.values(value).every(isText)) return value as Record<string, string>
      throw wrongType(value, 'an object of strings')
    case 'ulimits':
      if (isObject(value) && Object.values(value).every(isUlimit)) {
        return Object.entries(value as Record<string, { Soft: number; Hard: number }>).map(([name, { Soft: soft, Hard: hard }]) => ({
          name,
          soft,
          hard,
        }))
      }
      throw wrongType(value, 'an object of {Soft, Hard}')
    case 'pools':
      if (Array.isArray(value) && value.every(isPool)) return value.map(({ base, size }) => ({ base, size }))
      throw wrongType(value, 'a list of {base, size}')
    case 'builder':
      return builderOptions(value)
    case 'driver-options':
      if (isObject(value) && Object.values(value).every((options) => isObject(options) && Object.values(options).every(isText)))
        return value as DriverOptions
      throw wrongType(value, 'an object of objects of strings')
  }
}

function isPool(value: unknown): value is AddressPool {
  return isObject(value) && typeof value['base'] === 'string' && Number.isInteger(value['size'])
}

function isUlimit(value: unknown): value is { Soft: number; Hard: number } {
  return isObject(value) && Number.isInteger(value['Soft']) && Number.isInteger(value['Hard'])
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function wrongType(value: unknown, wanted: string): Error {
  return new Error(`cannot use ${JSON.stringify(value)}: ${wanted} is wanted`)
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

/** `bridge=com.docker.network.driver.mtu=1450`. */
function driverOption(previous: DriverOptions, text: string): DriverOptions {
  const [driver, option] = pair(text)
  const [key, value] = pair(option)
  if (driver === '' || key === '' || !option.includes('='))
    throw new Error(`invalid default network option format: ${text}: expected driver=key=value`)
  return { ...previous, [driver]: { ...previous[driver], [key]: value } }
}
