/**
 * Docker's seccomp profile format: OCI rules plus conditions on capabilities, architecture and kernel, decided when a container starts.
 *
 * Signatures:
 *   decodeProfile(text: string): Profile
 *   resolveProfile(profile: Profile, host: { capabilities; machine; kernel }): SeccompSpec | undefined
 */

import { invalidArgument } from '#errors'
import type { SeccompRule, SeccompSpec } from '#oci'
import { nativeArchitecture, type Machine } from './architectures.ts'

/** When a rule counts. All members that are given must hold. */
export interface ProfileFilter {
  caps?: readonly string[]
  /** Names as in Docker's profiles: `amd64`, `x86`, `x32`, `arm64` … */
  arches?: readonly string[]
  /** `4.8`: this kernel or newer. */
  minKernel?: string
}

export interface ProfileRule {
  names: readonly string[]
  action: string
  errnoRet?: number
  args?: NonNullable<SeccompRule['args']>
  includes?: ProfileFilter
  excludes?: ProfileFilter
}

export interface Profile {
  defaultAction: string
  defaultErrnoRet?: number
  /** Either `archMap` … */
  archMap?: readonly { architecture: string; subArchitectures: readonly string[] }[]
  /** … or `architectures`. */
  architectures?: readonly string[]
  flags?: readonly string[]
  syscalls: readonly ProfileRule[]
}

export interface ProfileHost {
  /** The container's bounding set. */
  capabilities: readonly string[]
  machine: Machine
  /** `uname -r`: `6.18.44-custom`. */
  kernel: string
}

/** A profile is text from a user; 1 MiB is sixty times Docker's own. */
const MAX_PROFILE_BYTES = 1 << 20

/**
 * Reads a profile as `--security-opt seccomp=<json>` brings it. Throws INVALID_ARGUMENT `Decoding seccomp profile failed: …`.
 * Integers beyond 2^53 keep all their bits as bigint.
 */
export function decodeProfile(text: string): Profile {
  if (text.length > MAX_PROFILE_BYTES) throw failed(`profile is larger than ${MAX_PROFILE_BYTES} bytes`)
  let value: unknown
  try {
    value = JSON.parse(text, exactInteger)
  } catch (error) {
    throw failed(error instanceof Error ? error.message : String(error), error)
  }
  const record = object(value, 'profile')
  const architectures = optionalStrings(record['architectures'], 'architectures')
  const archMap =
    record['archMap'] === undefined || record['archMap'] === null ? undefined : list(record['archMap'], 'archMap').map(archEntry)
  if (architectures !== undefined && architectures.length > 0 && archMap !== undefined && archMap.length > 0) {
    throw invalidArgument(
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    )
  }
  if (record['listenerPath'] !== undefined || record['listenerMetadata'] !== undefined) throw failed('listenerPath is not supported')
  const defaultErrnoRet = optionalNumber(record['defaultErrnoRet'], 'defaultErrnoRet')
  const flags = optionalStrings(record['flags'], 'flags')
  return {
    defaultAction: string(record['defaultAction'] ?? '', 'defaultAction'),
    ...(defaultErrnoRet !== undefined && { defaultErrnoRet }),
    ...(archMap !== undefined && { archMap }),
    ...(architectures !== undefined && { architectures }),
    ...(flags !== undefined && { flags }),
    syscalls: record['syscalls'] === undefined || record['syscalls'] === null ? [] : list(record['syscalls'], 'syscalls').map(rule),
  }
}

/**
 * The rules of a profile that count for this container, as the OCI section; undefined for an empty profile, which means no filter at all.
 * Throws INVALID_ARGUMENT for a bad `minKernel`.
 */
export function resolveProfile(profile: Profile, host: ProfileHost): SeccompSpec | undefined {
  if (profile.defaultAction === '' && profile.syscalls.length === 0) return undefined
  const native = nativeArchitecture(host.machine)
  const mapped = profile.archMap?.find((entry) => entry.architecture === native.scmp)
  const architectures = mapped === undefined ? [...(profile.architectures ?? [])] : [mapped.architecture, ...mapped.subArchitectures]
  const syscalls = profile.syscalls
    .filter((entry) => counts(entry, host, native.docker))
    .map((entry): SeccompRule => ({
      names: [...entry.names],
      action: entry.action,
      ...(entry.errnoRet !== undefined && { errnoRet: entry.errnoRet }),
      ...(entry.args !== undefined && entry.args.length > 0 && { args: entry.args }),
    }))
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet !== undefined && { defaultErrnoRet: profile.defaultErrnoRet }),
    architectures,
    ...(profile.flags !== undefined && profile.flags.length > 0 && { flags: [...profile.flags] }),
    syscalls,
  }
}

/** Excluded by any one match; included only by all of them. Docker asks for each of `includes.caps` but for any of `excludes.caps`. */
function counts(entry: ProfileRule, host: ProfileHost, architecture: string): boolean {
  const { excludes = {}, includes = {} } = entry
  if (excludes.arches?.includes(architecture)) return false
  if (excludes.caps?.some((name) => host.capabilities.includes(name))) return false
  if (excludes.minKernel !== undefined && kernelAtLeast(host.kernel, excludes.minKernel)) return false
  if (includes.arches !== undefined && includes.arches.length > 0 && !includes.arches.includes(architecture)) return false
  if (includes.caps?.some((name) => !host.capabilities.includes(name))) return false
  return includes.minKernel === undefined || kernelAtLeast(host.kernel, includes.minKernel)
}

function kernelAtLeast(kernel: string, wanted: string): boolean {
  const want = /^(\d+)\.(\d+)$/.exec(wanted)
  if (want === null)
    throw invalidArgument(`invalid kernel version ${JSON.stringify(wanted)} in seccomp profile: expected "<kernel>.<major>"`)
  const have = /^(\d+)\.(\d+)/.exec(kernel)
  const [major, minor] = [Number(have?.[1] ?? 0), Number(have?.[2] ?? 0)]
  const [wantMajor, wantMinor] = [Number(want[1]), Number(want[2])]
  return major > wantMajor || (major === wantMajor && minor >= wantMinor)
}

function rule(value: unknown): ProfileRule {
  const record = object(value, 'syscalls')
  const name = record['name']
  const names = optionalStrings(record['names'], 'names') ?? []
  if (typeof name === 'string' && name !== '' && names.length > 0) {
    throw invalidArgument("both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'")
  }
  const errnoRet = optionalNumber(record['errnoRet'], 'errnoRet')
  const includes = filter(record['includes'])
  const excludes = filter(record['excludes'])
  return {
    names: typeof name === 'string' && name !== '' ? [name] : names,
    action: string(record['action'], 'action'),
    ...(errnoRet !== undefined && { errnoRet }),
    ...(record['args'] !== undefined && record['args'] !== null && { args: list(record['args'], 'args').map(argument) }),
    ...(includes !== undefined && { includes }),
    ...(excludes !== undefined && { excludes }),
  }
}

function argument(value: unknown): NonNullable<SeccompRule['args']>[number] {
  const record = object(value, 'args')
  return {
    index: Number(integer(record['index'], 'index')),
    value: integer(record['value'], 'value'),
    valueTwo: integer(record['valueTwo'] ?? 0, 'valueTwo'),
    op: string(record['op'], 'op'),
  }
}

function filter(value: unknown): ProfileFilter | undefined {
  if (value === undefined || value === null) return undefined
  const record = object(value, 'filter')
  const caps = optionalStrings(record['caps'], 'caps')
  const arches = optionalStrings(record['arches'], 'arches')
  const minKernel = record['minKernel']
  return {
    ...(caps !== undefined && { caps }),
    ...(arches !== undefined && { arches }),
    ...(minKernel !== undefined && minKernel !== null && minKernel !== '' && { minKernel: string(minKernel, 'minKernel') }),
  }
}

function archEntry(value: unknown): { architecture: string; subArchitectures: string[] } {
  const record = object(value, 'archMap')
  return {
    architecture: string(record['architecture'], 'architecture'),
    subArchitectures: optionalStrings(record['subArchitectures'], 'subArchitectures') ?? [],
  }
}

function exactInteger(_key: string, value: unknown, context?: { source?: string }): unknown {
  const exact = typeof value !== 'number' || Number.isSafeInteger(value) || !/^\d+$/.test(context?.source ?? '')
  return exact ? value : BigInt(context?.source ?? '0')
}

function failed(reason: string, cause?: unknown): Error {
  return invalidArgument(`Decoding seccomp profile failed: ${reason}`, cause)
}

function object(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw failed(`${where} must be an object`)
  return value as Record<string, unknown>
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw failed(`${where} must be an array`)
  return value
}

function string(value: unknown, where: string): string {
  if (typeof value !== 'string') throw failed(`${where} must be a string`)
  return value
}

function integer(value: unknown, where: string): number | bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value) && value >= 0)) return value
  throw failed(`${where} must be a non-negative integer`)
}

function optionalNumber(value: unknown, where: string): number | undefined {
  return value === undefined || value === null ? undefined : Number(integer(value, where))
}

function optionalStrings(value: unknown, where: string): string[] | undefined {
  return value === undefined || value === null ? undefined : list(value, where).map((item) => string(item, where))
}
