import type { DeviceMapping, DeviceRequest, ThrottleDevice } from '#api'
import { parseRamBytes, splitCsvLine } from '#lib'
import { posix } from 'node:path'
import { toMap } from './key-values.ts'

/** A name of the Container Device Interface: `vendor.com/class=device`. Source: CDI specification, "Kind". */
export function isCdiName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9._-]*\/[a-zA-Z0-9][a-zA-Z0-9._-]*=[a-zA-Z0-9][a-zA-Z0-9._:-]*$/.test(text)
}

/** `host[:container[:rwm]]` or `host:rwm`. Throws Error with Docker's text. */
export function parseDevice(text: string): DeviceMapping {
  const parts = text.split(':')
  const [host = '', second, third] = parts
  if (parts.length > 3 || host === '') throw new Error(`bad format for path: ${text}`)
  let target = host
  let permissions = 'rwm'
  if (third !== undefined) {
    if (!isMode(third)) throw new Error(`bad mode specified: ${third}`)
    target = second ?? ''
    permissions = third
  } else if (second !== undefined && isMode(second)) permissions = second
  else if (second !== undefined) target = second
  if (!posix.isAbsolute(target)) throw new Error(`${target} is not an absolute path`)
  return { PathOnHost: host, PathInContainer: target === '' ? host : target, CgroupPermissions: permissions }
}

/** `r`, `w`, `m`, each at most once. */
function isMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length
}

/** `c 1:3 rwm`. */
export function checkDeviceCgroupRule(text: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text)) throw new Error(`invalid device cgroup format '${text}'`)
  return text
}

/** `/dev/sda:1mb`, in bytes per second. */
export function parseBpsDevice(text: string): ThrottleDevice {
  const [path, rate] = splitDevice(text)
  try {
    return { Path: path, Rate: parseRamBytes(rate) }
  } catch (error) {
    const form =
      'The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb'
    throw new Error(`invalid rate for device: ${text}. ${form}`, { cause: error })
  }
}

/** `/dev/sda:1000`, in operations per second. */
export function parseIopsDevice(text: string): ThrottleDevice {
  const [path, rate] = splitDevice(text)
  if (!/^\d+$/.test(rate)) {
    throw new Error(`invalid rate for device: ${text}. The correct format is <device-path>:<number>. Number must be a positive integer`)
  }
  return { Path: path, Rate: Number(rate) }
}

/** `/dev/sda:500`, a weight between 10 and 1000, or 0. */
export function parseWeightDevice(text: string): { Path: string; Weight: number } {
  const [path, weight] = splitDevice(text)
  const value = Number(weight)
  if (!/^\d+$/.test(weight) || (value > 0 && (value < 10 || value > 1000))) throw new Error(`invalid weight for device: ${text}`)
  return { Path: path, Weight: value }
}

function splitDevice(text: string): [string, string] {
  const colon = text.indexOf(':')
  if (colon <= 0) throw new Error(`bad format: ${text}`)
  const path = text.slice(0, colon)
  if (!path.startsWith('/dev/')) throw new Error(`bad format for device path: ${text}`)
  return [path, text.slice(colon + 1)]
}

/** `--gpus`: `all`, a count, or `driver=,count=,device=,capabilities=,options=`. */
export function parseGpus(text: string): DeviceRequest {
  const request: DeviceRequest = { Driver: '', Count: 0, DeviceIDs: null, Capabilities: null, Options: null }
  const seen = new Set<string>()
  for (const field of splitCsvLine(text)) {
    const equals = field.indexOf('=')
    const key = equals < 0 ? field : field.slice(0, equals)
    const value = equals < 0 ? '' : field.slice(equals + 1)
    if (seen.has(key)) throw new Error(`gpu request key '${key}' can be specified only once`)
    seen.add(key)
    if (equals < 0) {
      seen.add('count')
      request.Count = gpuCount(key)
    } else if (key === 'driver') request.Driver = value
    else if (key === 'count') request.Count = gpuCount(value)
    else if (key === 'device') request.DeviceIDs = value.split(',')
    else if (key === 'capabilities') request.Capabilities = [[...value.split(','), 'gpu']]
    else if (key === 'options') request.Options = toMap(splitCsvLine(value))
    else throw new Error(`unexpected key '${key}' in '${field}'`)
  }
  if (!seen.has('count') && request.DeviceIDs === null) request.Count = 1
  request.Options ??= {}
  request.Capabilities ??= [['gpu']]
  return request
}

function gpuCount(text: string): number {
  if (text === 'all') return -1
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`)
  return Number(text)
}
