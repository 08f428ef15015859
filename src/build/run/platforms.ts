import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hostPlatform, normalisePlatform, platformMatches, type Platform } from '#oci'

/** Where the kernel shows its handlers of foreign programs. Source: Documentation/admin-guide/binfmt-misc.rst. */
const BINFMT_MISC = '/proc/sys/fs/binfmt_misc'

/** Offsets in an ELF header: class (1: 32 bits, 2: 64 bits), byte order (1: little endian), machine. Source: elf(5). */
const EI_CLASS = 4
const EI_DATA = 5
const E_MACHINE = 18

/** e_machine with class and byte order → architecture. Source: linux/elf-em.h. */
const MACHINES: Readonly<Record<string, readonly Platform[]>> = {
  '3 32 little': [{ os: 'linux', architecture: '386' }],
  '62 64 little': [{ os: 'linux', architecture: 'amd64' }],
  '183 64 little': [{ os: 'linux', architecture: 'arm64' }],
  '40 32 little': [
    { os: 'linux', architecture: 'arm', variant: 'v7' },
    { os: 'linux', architecture: 'arm', variant: 'v6' },
  ],
  '243 64 little': [{ os: 'linux', architecture: 'riscv64' }],
  '21 64 little': [{ os: 'linux', architecture: 'ppc64le' }],
  '22 64 big': [{ os: 'linux', architecture: 's390x' }],
  '8 64 little': [{ os: 'linux', architecture: 'mips64le' }],
  '8 64 big': [{ os: 'linux', architecture: 'mips64' }],
  '258 64 little': [{ os: 'linux', architecture: 'loong64' }],
}

/**
 * Platforms whose programs run here: the machine's own first, then those with a handler in binfmt_misc. Asked anew at each call: handlers come and go while
 * the daemon runs (`docker run --privileged tonistiigi/binfmt --install all`).
 */
export function runnablePlatforms(options: { binfmt?: string; machine?: string } = {}): Platform[] {
  const native = nativePlatforms(options.machine)
  const foreign = handlers(options.binfmt ?? BINFMT_MISC).filter((platform) => !native.some((known) => platformMatches(known, platform)))
  return [...native, ...foreign]
}

function nativePlatforms(machine: string | undefined): Platform[] {
  const own = hostPlatform(machine)
  return own.architecture === 'amd64' ? [own, { os: 'linux', architecture: '386' }] : [own]
}

/** Whether a program for `platform` can be run, and so whether a step of a build can. */
export function isRunnable(platform: Platform, options: { binfmt?: string; machine?: string } = {}): boolean {
  // Newer variants of amd64 (v2, v3) are a matter of the processor, which tells by itself.
  const wanted = normalisePlatform(platform)
  const any = wanted.architecture === 'amd64' ? { os: wanted.os, architecture: wanted.architecture } : wanted
  const isAny = (known: Platform): boolean => platformMatches(known, any)
  // Most steps are native: the handlers, a file each, are not read for them.
  return nativePlatforms(options.machine).some(isAny) || runnablePlatforms(options).some(isAny)
}

function handlers(directory: string): Platform[] {
  let names: string[]
  try {
    names = readdirSync(directory)
  } catch {
    return [] // not mounted, or not part of this kernel
  }
  const found = names
    .filter((name) => name !== 'register' && name !== 'status')
    .flatMap((name) => parseHandler(textOf(join(directory, name))))
  return found.filter(
    (platform, index) => found.findIndex((other) => platformMatches(platform, other) && platformMatches(other, platform)) === index,
  )
}

/**
 * What one handler runs. Only with flag F, which opened the interpreter when it was registered: without it the kernel looks for the interpreter in the step's
 * own root file system, where there is none.
 *
 * ```
 * enabled
 * interpreter /usr/bin/qemu-aarch64
 * flags: OCF
 * offset 0
 * magic 7f454c460201010000000000000000000200b700
 * ```
 */
export function parseHandler(text: string): readonly Platform[] {
  const lines = text.split('\n')
  const value = (name: string): string =>
    lines
      .find((line) => line.startsWith(name))
      ?.slice(name.length)
      .trim() ?? ''
  const header = Buffer.from(value('magic '), 'hex')
  if (lines[0] !== 'enabled' || !value('flags:').includes('F') || value('offset ') !== '0') return []
  if (header.length < E_MACHINE + 2 || header.toString('latin1', 0, EI_CLASS) !== '\x7fELF') return []
  const isLittle = header[EI_DATA] === 1
  const machine = isLittle ? header.readUInt16LE(E_MACHINE) : header.readUInt16BE(E_MACHINE)
  return MACHINES[`${machine} ${header[EI_CLASS] === 1 ? 32 : 64} ${isLittle ? 'little' : 'big'}`] ?? []
}

/** Empty when the handler has just gone. */
function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
