import type { WirePlatform } from '#api'
import { hostPlatform, type Platform } from '#oci'

const OS = /^([A-Za-z0-9_-]+)(?:\(([A-Za-z0-9_.-]*)\))?$/
const COMPONENT = /^[A-Za-z0-9_.-]+$/
/** Go's names. */
const SYSTEMS: ReadonlySet<string> = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos'.split(' '),
)
const ARCHITECTURES: ReadonlySet<string> = new Set(
  (
    '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 ' +
    's390 s390x sparc sparc64 wasm'
  ).split(' '),
)
const ALIASES: Readonly<Record<string, [architecture: string, variant: string]>> = {
  i386: ['386', ''],
  x86_64: ['amd64', ''],
  'x86-64': ['amd64', ''],
  aarch64: ['arm64', ''],
  armhf: ['arm', 'v7'],
  armel: ['arm', 'v6'],
}

/** `--platform`: `os[(version)][/arch[/variant]]`, or an architecture alone. Throws Error with the texts of containerd's platforms v1, `Parse`. */
export function parsePlatformFlag(text: string): WirePlatform {
  const quoted = JSON.stringify(text)
  if (text.includes('*')) throw new Error(`${quoted}: wildcards not yet supported: invalid argument`)
  const parts = text.split('/')
  for (const [index, part] of parts.entries()) {
    if (index === 0 && !OS.test(part)) throw invalid('OS component', 'OSAndVersion specifier component', part, quoted, OS)
    if (index > 0 && !COMPONENT.test(part)) throw invalid('component', 'platform specifier component', part, quoted, COMPONENT)
  }
  const [first = '', architecture, variant] = parts
  const [, system = '', version = ''] = OS.exec(first) ?? []
  const os = system.toLowerCase() === 'macos' ? 'darwin' : system.toLowerCase()
  if (parts.length > 3) throw new Error(`${quoted}: cannot parse platform specifier: invalid argument`)
  if (architecture === undefined) return single(first, os, version, quoted)
  const machine = normalise(architecture, variant ?? '')
  return wire(os, version, variant === undefined ? withoutDefault(machine) : withExplicit(machine))
}

/** A system means this machine's architecture, an architecture this machine's system. */
function single(text: string, os: string, version: string, quoted: string): WirePlatform {
  const host = hostPlatform()
  if (SYSTEMS.has(os)) return wire(os, version, [host.architecture, host.variant ?? ''])
  const machine = normalise(text, '')
  if (ARCHITECTURES.has(machine[0])) return wire(host.os, '', withoutDefault(machine))
  throw new Error(`${quoted}: unknown operating system or architecture: invalid argument`)
}

type Machine = readonly [architecture: string, variant: string]

function normalise(architecture: string, variant: string): Machine {
  const lower = architecture.toLowerCase()
  const [name, implied] = ALIASES[lower] ?? [lower, variant.toLowerCase()]
  if (name === 'amd64') return [name, implied === 'v1' ? '' : implied]
  if (name === 'arm64') return [name, implied === '8' || implied === 'v8' ? '' : implied]
  if (name !== 'arm') return [name, implied]
  return [name, implied === '' || implied === '7' ? 'v7' : /^[568]$/.test(implied) ? `v${implied}` : implied]
}

/** The variant that goes without saying stays unsaid… */
function withoutDefault([architecture, variant]: Machine): Machine {
  return [architecture, architecture === 'arm' && variant === 'v7' ? '' : variant]
}

/** …unless it was said. */
function withExplicit([architecture, variant]: Machine): Machine {
  return [architecture, architecture === 'arm64' && variant === '' ? 'v8' : variant]
}

function wire(os: string, version: string, [architecture, variant]: Machine): WirePlatform {
  const platform: Platform = { architecture, os }
  return { ...platform, ...(version === '' ? {} : { 'os.version': version }), ...(variant === '' ? {} : { variant }) }
}

function invalid(what: string, whose: string, part: string, quoted: string, pattern: RegExp): Error {
  return new Error(
    `${JSON.stringify(part)} is an invalid ${what} of ${quoted}: ${whose} must match ${JSON.stringify(pattern.source)}: invalid argument`,
  )
}

/** The same for commands that put words of their own before it. */
export function parsePlatformOption(text: string): WirePlatform {
  try {
    return parsePlatformFlag(text)
  } catch (error) {
    throw new Error(`invalid platform: ${(error as Error).message}`, { cause: error })
  }
}
