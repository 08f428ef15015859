import { detectSyntax } from '#dockerfile'
import { codeOf } from '#errors'
import { fullName, parseReference } from '#oci'
import { BuildError } from '../build-error.ts'
import type { SourceFile, SourceRange } from '../graph/types.ts'
import type { BuildResult, FrontendHost, FrontendRequest } from '../types.ts'
import type { FrontendOptions } from './options.ts'

/** Images of BuildKit's own frontend: this one speaks their language. */
const OWN = new Set(['docker.io/docker/dockerfile', 'docker.io/docker/dockerfile-upstream'])

/** Another frontend that the client or the Dockerfile asks for. */
export interface Syntax {
  /** Of its image. */
  readonly reference: string
  /** The reference, and what stands behind it. */
  readonly commandLine: string
  /** The line that says so; undefined: the argument does. */
  readonly place?: SourceRange
}

const ARGUMENT = 'build-arg:BUILDKIT_SYNTAX'

/**
 * What is to read the Dockerfile: `BUILDKIT_SYNTAX` before the first line. undefined: nothing is said, or this frontend was chosen by just that (`cmdline`). To the
 * classic builder the line is a comment.
 */
export function wantedSyntax({ all, history }: FrontendOptions, file: SourceFile): Syntax | undefined {
  if (all['cmdline'] !== undefined || history === 'classic') return undefined
  const argument = all[ARGUMENT]?.trim() ?? ''
  if (argument !== '') return { reference: argument.split(/\s/, 1)[0] ?? '', commandLine: argument }
  const directive = detectSyntax(file.text)
  if (directive === undefined) return undefined
  const { reference, value, line } = directive
  return { reference, commandLine: value, place: { file, start: line, end: line } }
}

/** Whether an image is that of the frontend that is built in. */
export function isOwnLanguage(reference: string): boolean {
  // Means whatever frontend is built in.
  if (reference === 'dockerfile.v0') return true
  try {
    return OWN.has(fullName(parseReference(reference)))
  } catch {
    return false
  }
}

/** Has `syntax` do it. An error that names no place gets that of the line. Source: moby/buildkit frontend/dockerfile/builder/build.go, forwardGateway. */
export async function forwardTo(
  { reference, commandLine, place }: Syntax,
  request: FrontendRequest,
  host: Pick<FrontendHost, 'forward'>,
): Promise<BuildResult> {
  try {
    const options = { ...request.options, cmdline: commandLine, source: reference }
    return await host.forward({ ...request, frontend: 'gateway.v0', options })
  } catch (error) {
    if (codeOf(error) === 'CANCELLED') throw error
    const { code, message, source, vertex, step } = BuildError.from(error, { source: place })
    const text = source === undefined ? `failed with ${ARGUMENT} = ${commandLine}: ${message}` : message
    throw new BuildError(code, text, { source, vertex, step, cause: error })
  }
}
