import { EngineError } from '#errors'
import { fullName, parseReference } from '#oci'
import { BuildError } from '../build-error.ts'
import type { SourceFile } from '../graph/types.ts'
import type { FrontendOptions } from './options.ts'

/** Images of BuildKit's own frontend: this one speaks their language. */
const OWN = new Set(['docker.io/docker/dockerfile', 'docker.io/docker/dockerfile-upstream'])

/**
 * Checks that the language that the client or the first line of the Dockerfile asks for is ours. Throws NOT_IMPLEMENTED for any other, as frontends that
 * are images cannot be run.
 */
export function checkSyntax(options: FrontendOptions, directive: { reference: string; line: number } | undefined, file: SourceFile): void {
  const argument = options.buildArgs.get('BUILDKIT_SYNTAX')?.trim().split(/\s/, 1)[0]
  if (argument !== undefined && argument !== '') return checkLanguage(argument)
  if (directive === undefined || isOwn(directive.reference)) return
  const { line } = directive
  throw new BuildError('NOT_IMPLEMENTED', refusal(directive.reference), { source: { file, start: line, end: line } })
}

/** Throws NOT_IMPLEMENTED for the image of another frontend. */
export function checkLanguage(reference: string): void {
  if (!isOwn(reference)) throw new EngineError('NOT_IMPLEMENTED', refusal(reference))
}

function isOwn(reference: string): boolean {
  // Means whatever frontend is built in.
  if (reference === 'dockerfile.v0') return true
  try {
    return OWN.has(fullName(parseReference(reference)))
  } catch {
    return false
  }
}

function refusal(reference: string): string {
  return `syntax image ${reference} is not implemented in Gantry: frontends are built in, use docker/dockerfile or leave the line out`
}
