import { formatPlatform, normalisePlatform, parsePlatform } from '#oci'
import type { ImageConfigFile, Platform } from '#oci'
import { Environment } from './environment.ts'

/** For what, and on what, an image is built. */
export interface BuildPlatforms {
  readonly target: Platform
  readonly build: Platform
  /** Nobody asked for a platform: a base image for another one decides. */
  readonly implicit: boolean
}

/** One entry for each image that is wanted; without `platforms` one for the host. */
export function wantedPlatforms(platforms: readonly Platform[], host: Platform): [BuildPlatforms, ...BuildPlatforms[]] {
  const build = normalisePlatform(host)
  const [first, ...others] = platforms
  if (first === undefined) return [{ target: build, build, implicit: true }]
  return [{ target: first, build, implicit: false }, ...others.map((target) => ({ target, build, implicit: false }))]
}

/** The automatic arguments; build arguments of the same name win. Source: moby/buildkit dockerfile2llb/defaultargs.go. */
export function platformArguments({ build, target }: BuildPlatforms, stage: string, buildArgs: ReadonlyMap<string, string>): Environment {
  const values: Record<string, string> = {
    BUILDPLATFORM: formatPlatform(build),
    BUILDOS: build.os,
    BUILDOSVERSION: build['os.version'] ?? '',
    BUILDARCH: build.architecture,
    BUILDVARIANT: build.variant ?? '',
    TARGETPLATFORM: formatPlatform(target),
    TARGETOS: target.os,
    TARGETOSVERSION: target['os.version'] ?? '',
    TARGETARCH: target.architecture,
    TARGETVARIANT: target.variant ?? '',
    TARGETSTAGE: stage === '' ? 'default' : stage,
  }
  return Environment.parse(Object.entries(values).map(([name, value]) => `${name}=${buildArgs.get(name) ?? value}`))
}

/** The platform that an image's config tells. */
export function platformOf(config: ImageConfigFile): Platform {
  const version = config['os.version']
  const features = config['os.features']
  return normalisePlatform({
    os: config.os,
    architecture: config.architecture,
    ...(config.variant !== undefined && config.variant !== '' && { variant: config.variant }),
    ...(typeof version === 'string' && { 'os.version': version }),
    ...(Array.isArray(features) && { 'os.features': features.map(String) }),
  })
}

export function isSameMachine(a: Platform, b: Platform): boolean {
  return a.os === b.os && a.architecture === b.architecture
}

/**
 * The platforms of a step for its name: `linux/amd64`, `linux/amd64->arm64` when what runs on the one makes things for the other, as its variables tell.
 * Source: moby/buildkit dockerfile2llb/convert.go, prefixCommand.
 */
export function platformPrefix(platform: Platform, variables: Environment): string {
  const target = targetOf(variables, platform)
  const text = formatPlatform(platform)
  if (target === undefined || isSameMachine(target, platform)) return text
  if (target.os !== platform.os) return `${text}->${formatPlatform(target)}`
  return `${text}->${[target.architecture, target.variant].filter(Boolean).join('/')}`
}

function targetOf(variables: Environment, platform: Platform): Platform | undefined {
  const whole = variables.get('TARGETPLATFORM')
  if (whole !== undefined && whole !== '') return tryParse(whole)
  const [os, architecture, variant] = ['TARGETOS', 'TARGETARCH', 'TARGETVARIANT'].map((name) => variables.get(name) || undefined)
  if (os === undefined && architecture === undefined && variant === undefined) return undefined
  return normalisePlatform({
    os: os ?? platform.os,
    architecture: architecture ?? platform.architecture,
    ...(variant !== undefined && { variant }),
  })
}

function tryParse(text: string): Platform | undefined {
  try {
    return parsePlatform(text)
  } catch {
    return undefined
  }
}
