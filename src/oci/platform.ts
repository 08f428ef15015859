import { invalidArgument } from '#errors'
import type { Descriptor, Platform } from './image-spec.ts'

/** Node's name of an architecture → Go's, which image configs use. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', loong64: 'loong64', mipsel: 'mipsle' }

/** The platform of a machine with Node architecture `arch`. */
export function hostPlatform(arch: string = process.arch): Platform {
  if (arch === 'arm64') return { os: 'linux', architecture: 'arm64', variant: 'v8' }
  if (arch === 'arm') return { os: 'linux', architecture: 'arm', variant: 'v7' }
  return { os: 'linux', architecture: ARCHITECTURES[arch] ?? arch }
}

/** Spellings that mean the same, as containerd/platforms normalises them. */
const ALIASES: Readonly<Record<string, Platform>> = {
  x86_64: { os: '', architecture: 'amd64' },
  'x86-64': { os: '', architecture: 'amd64' },
  i386: { os: '', architecture: '386' },
  aarch64: { os: '', architecture: 'arm64' },
  armhf: { os: '', architecture: 'arm', variant: 'v7' },
  armel: { os: '', architecture: 'arm', variant: 'v6' },
}

const COMPONENT = /^[A-Za-z0-9_.-]+$/

/** What a single word may mean: an operating system, or an architecture. Source: containerd/platforms database.go. */
const KNOWN_OPERATING_SYSTEMS = new Set(
  'aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos'.split(' '),
)

const KNOWN_ARCHITECTURES = new Set(
  '386 amd64 amd64p32 arm armbe arm64 arm64be ppc64 ppc64le loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc riscv riscv64 s390 s390x sparc sparc64 wasm'.split(
    ' ',
  ),
)

/** `linux/arm/v7`, `arm64` or `linux`. Throws INVALID_ARGUMENT with containerd/platforms' words. */
export function parsePlatform(text: string, host: Platform = hostPlatform()): Platform {
  const parts = text.toLowerCase().split('/')
  const bad = parts.findIndex((part) => !COMPONENT.test(part))
  if (bad > 0) {
    throw invalidArgument(
      `${JSON.stringify(parts[bad])} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "${COMPONENT.source}": invalid argument`,
    )
  }
  if (parts.length > 3 || bad === 0) {
    throw invalidArgument(`"${text}": invalid argument: expected format is <os>[(<OSVersion>)]/<arch>[/<variant>]`)
  }
  const [first = '', second, variant] = parts
  if (second === undefined) {
    if (KNOWN_OPERATING_SYSTEMS.has(first)) return { ...host, os: first }
    const platform = normalisePlatform({ os: host.os, architecture: first })
    if (KNOWN_ARCHITECTURES.has(platform.architecture)) return platform
    throw invalidArgument(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`)
  }
  return normalisePlatform({ os: first, architecture: second, ...(variant === undefined ? {} : { variant }) })
}

/** Aliases resolved; the variant that goes without saying is left out for amd64 and arm64 and put in for arm. */
export function normalisePlatform(platform: Platform): Platform {
  const { variant: written, ...rest } = platform
  const alias = ALIASES[platform.architecture]
  const architecture = alias?.architecture ?? platform.architecture
  const variant = written ?? alias?.variant
  if ((architecture === 'arm64' && (variant === 'v8' || variant === '8')) || (architecture === 'amd64' && variant === 'v1')) {
    return { ...rest, architecture }
  }
  if (architecture === 'arm' && !variant) return { ...rest, architecture, variant: 'v7' }
  return variant ? { ...rest, architecture, variant } : { ...rest, architecture }
}

/** Whether software for `offered` runs where `wanted` is asked for: 32-bit arm runs what is older than its own variant. */
export function platformMatches(wanted: Platform, offered: Platform): boolean {
  const want = normalisePlatform(wanted)
  const offer = normalisePlatform(offered)
  if (want.os !== offer.os || want.architecture !== offer.architecture) return false
  if (want.variant === offer.variant || offer.variant === undefined) return true
  return want.architecture === 'arm' && (want.variant ?? '') >= offer.variant
}

/** The entry of an index to use for `wanted`: an exact variant before a compatible one; undefined when there is none. */
export function choosePlatform(manifests: readonly Descriptor[], wanted: Platform): Descriptor | undefined {
  const fitting = manifests.filter((entry) => entry.platform !== undefined && platformMatches(wanted, entry.platform))
  const variant = normalisePlatform(wanted).variant
  return (
    fitting.find((entry) => entry.platform && normalisePlatform(entry.platform).variant === variant) ??
    fitting.toSorted((a, b) => (b.platform?.variant ?? '').localeCompare(a.platform?.variant ?? ''))[0] ??
    manifests.find((entry) => entry.platform === undefined)
  )
}

/** `linux/arm64/v8`. */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}
