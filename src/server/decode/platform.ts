/** The two forms of a platform in a query: `os/arch/variant` (create, pull, build) and OCI JSON (inspect, history, save, load, delete, push). */

import type { WirePlatform } from '#api'
import { invalidArgument } from '#errors'
import { parsePlatform } from '#oci'
import { WrongType } from '../wire/codec.ts'
import { platform as platformCodec } from '../wire/platform.ts'
import { describeJsonError } from './json-syntax.ts'

/** Checks the text form and gives it back unchanged. Source: containerd `platforms.Parse`. */
export function checkPlatformText(text: string): string {
  const parts = text.split('/')
  if (parts.length > 3 || parts.some((part) => !/^[A-Za-z0-9_.()-]+$/.test(part))) {
    throw invalidArgument(`${JSON.stringify(text)}: unknown operating system or architecture: invalid argument`)
  }
  // Alone it is one or the other; of two any may be asked for.
  if (parts.length === 1) parsePlatform(text)
  return text
}

/** Decodes the JSON form. Source: moby `httputils.DecodePlatform`. */
export function parsePlatformJson(text: string): WirePlatform {
  const platform = decodePlatform(text)
  const hasOptional = Boolean(platform.variant) || Boolean(platform['os.version']) || (platform['os.features']?.length ?? 0) > 0
  if (!platform.os && !platform.architecture && hasOptional) {
    throw invalidArgument('optional platform fields provided, but OS and Architecture are missing')
  }
  if (!platform.os || !platform.architecture) throw invalidArgument('both OS and Architecture must be provided')
  return platform as WirePlatform
}

function decodePlatform(text: string): Partial<WirePlatform> {
  try {
    return platformCodec.decode(JSON.parse(text) ?? {}, 0)
  } catch (error) {
    const reason = error instanceof WrongType ? error.describe() : describeJsonError(text)
    throw invalidArgument(`failed to parse platform: ${reason}`, error)
  }
}

/** `linux/arm64/v8` from the JSON form. */
export function formatPlatform(platform: WirePlatform): string {
  return [platform.os, platform.architecture, platform.variant].filter(Boolean).join('/')
}
