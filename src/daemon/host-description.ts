import { existsSync, readFileSync } from 'node:fs'
import { arch, cpus, release, totalmem } from 'node:os'

/** The machine as `docker info` shows it; does not change while the daemon runs. */
export interface HostDescription {
  kernelVersion: string
  operatingSystem: string
  osVersion: string
  /** As uname -m: `x86_64`. */
  architecture: string
  /** As Go names it: `amd64`. */
  goArchitecture: string
  cpus: number
  /** Bytes. */
  memory: number
}

const ARCHITECTURES: Record<string, [uname: string, go: string]> = {
  x64: ['x86_64', 'amd64'],
  arm64: ['aarch64', 'arm64'],
}

export function describeHost(): HostDescription {
  const osRelease = readOsRelease()
  const [architecture, goArchitecture] = ARCHITECTURES[arch()] ?? [arch(), arch()]
  const name = osRelease['PRETTY_NAME'] ?? 'Linux'
  return {
    kernelVersion: release(),
    operatingSystem: existsSync('/run/.containerenv') || existsSync('/.dockerenv') ? `${name} (containerized)` : name,
    osVersion: osRelease['VERSION_ID'] ?? '',
    architecture,
    goArchitecture,
    cpus: cpus().length,
    memory: totalmem(),
  }
}

/** os-release(5): the first file there is. */
function readOsRelease(): Record<string, string> {
  for (const path of ['/etc/os-release', '/usr/lib/os-release']) {
    if (!existsSync(path)) continue
    const lines = readFileSync(path, 'utf8').matchAll(/^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/gm)
    return Object.fromEntries(Array.from(lines, ([, key = '', double, single, bare]) => [key, double ?? single ?? bare ?? '']))
  }
  return {}
}
