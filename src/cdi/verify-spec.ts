/** What a decoded specification may say. Texts and order of the checks are the reference library's. */

import { invalidArgument } from '#errors'
import { verifyEnvironment, type RawSpec } from './decode-spec.ts'
import { splitKind, verifyDeviceName, verifyKind } from './qualified-name.ts'
import type { ContainerEdits } from './types.ts'

/** Released versions of the specification, oldest first. Source: CDI SPEC.md, "Released versions". */
const VERSIONS = ['0.1.0', '0.2.0', '0.3.0', '0.4.0', '0.5.0', '0.6.0', '0.7.0', '0.8.0', '1.0.0', '1.1.0']

/** All annotations of one object, in bytes. */
const MAX_ANNOTATIONS = 256 * 1024

/** `[domain/]name`, as Kubernetes has them. */
const ANNOTATION_KEY = /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[a-z0-9]([-a-z0-9_.]{0,61}[a-z0-9])?$/i

/** Throws INVALID_ARGUMENT for the first thing that is wrong. */
export function verifySpec(spec: RawSpec): void {
  try {
    verifyVersion(spec)
    verifyKind(spec.kind)
    verifyAnnotations(spec.kind, spec.annotations)
    verifyEnvironment(spec.edits.env, 'invalid container edits')
    verifyDevices(spec)
  } catch (error) {
    throw invalidArgument(`invalid CDI Spec: ${(error as Error).message}`, error)
  }
}

function verifyDevices({ kind, devices }: RawSpec): void {
  const known = new Set<string>()
  for (const { name, annotations, edits } of devices) {
    try {
      verifyDeviceName(name)
      verifyAnnotations(`${kind}=${name}`, annotations)
      if (isEmpty(edits)) throw invalidArgument('invalid device, empty device edits')
      verifyEnvironment(edits.env, `invalid device ${JSON.stringify(name)}: invalid container edits`)
    } catch (error) {
      throw invalidArgument(`failed add device ${JSON.stringify(name)}: ${(error as Error).message}`, error)
    }
    if (known.has(name)) throw invalidArgument(`invalid spec, multiple device ${JSON.stringify(name)}`)
    known.add(name)
  }
  if (known.size === 0) throw invalidArgument('invalid spec, no devices')
}

function isEmpty(edits: ContainerEdits): boolean {
  return Object.values(edits).every((list: readonly unknown[]) => list.length === 0)
}

function verifyAnnotations(owner: string, annotations: Readonly<Record<string, string>>): void {
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    size += key.length + Buffer.byteLength(value)
    if (!ANNOTATION_KEY.test(key)) throw invalidArgument(`${owner}.annotations.${key} is invalid: it is no qualified name`)
  }
  if (size > MAX_ANNOTATIONS) throw invalidArgument(`annotations size ${size} is larger than limit ${MAX_ANNOTATIONS}`)
}

/** A file may use what its version has, and nothing newer. */
function verifyVersion(spec: RawSpec): void {
  const index = VERSIONS.indexOf(spec.version.replace(/^v/, ''))
  if (index < 0) throw invalidArgument(`invalid version ${JSON.stringify(spec.version)}`)
  const least = leastVersion(spec)
  if (VERSIONS.indexOf(least) > index) throw invalidArgument(`the spec version must be at least v${least}`)
}

function leastVersion(spec: RawSpec): string {
  const all = [spec.edits, ...spec.devices.map(({ edits }) => edits)]
  const some = (test: (edits: ContainerEdits) => boolean): boolean => all.some(test)
  if (some(({ unsupported }) => unsupported.includes('netDevices'))) return '1.1.0'
  if (some(({ additionalGids, unsupported }) => additionalGids.length > 0 || unsupported.includes('intelRdt'))) return '0.7.0'
  const annotated = [spec, ...spec.devices].some(({ annotations }) => Object.keys(annotations).length > 0)
  if (annotated || splitKind(spec.kind)?.className.includes('.') === true) return '0.6.0'
  const hasHostPath = some(({ deviceNodes }) => deviceNodes.some(({ hostPath }) => hostPath !== ''))
  if (hasHostPath || spec.devices.some(({ name }) => name !== '' && !/^[A-Za-z]/.test(name))) return '0.5.0'
  return some(({ mounts }) => mounts.some(({ type }) => type !== '')) ? '0.4.0' : '0.3.0'
}
