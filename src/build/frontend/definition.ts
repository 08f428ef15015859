import { createIgnoreMatcher, DockerfileError, parseDockerfile, parseIgnoreFile } from '#dockerfile'
import type { Dockerfile, IgnoreMatcher, ReadPart } from '#dockerfile'
import { invalidArgument, notFound } from '#errors'
import type { Digest } from '#oci'
import { posix } from 'node:path'
import { vertex } from '../graph/digest.ts'
import type { Edge, LocalSource, SourceFile } from '../graph/types.ts'
import type { FrontendHost } from '../types.ts'
import { findMainContext } from './context/main-context.ts'
import type { MainContext } from './context/main-context.ts'
import { followPaths } from './context/paths.ts'
import { withPlace } from './errors.ts'
import type { FrontendOptions } from './options.ts'

/** The text of a Dockerfile, and what is known of the context that it is for. */
export interface DefinitionSource {
  readonly file: SourceFile
  /** The step that loaded it; warnings belong to it. */
  readonly vertex: Digest
  /** Which files of the context do not count. A context that was fetched has all of them. Loaded when first asked for. */
  ignore(): Promise<IgnoreMatcher | undefined>
  /** The context's file system, of which steps read `paths`. */
  context(paths: ReadonlySet<string>, ignore: IgnoreMatcher | undefined): Edge
}

/** Shared by all platforms of a build. */
export interface Definition extends DefinitionSource {
  readonly dockerfile: Dockerfile
}

const IGNORE_FILE = '.dockerignore'

/**
 * Loads the Dockerfile and finds the context. Throws NOT_FOUND without a Dockerfile. Source: moby/buildkit frontend/dockerui/config.go, ReadEntrypoint, MainContext.
 */
export async function loadDefinition(
  options: FrontendOptions,
  inputs: Readonly<Record<string, Edge>>,
  host: FrontendHost,
): Promise<DefinitionSource> {
  const context = await findMainContext(options, inputs, host)
  const { edge, filename } = findDockerfile(options, context, inputs)
  const file = await readDockerfile(edge, filename, options, host)
  const ownIgnore = context.kind === 'local' ? await host.readFile(edge, `${filename}${IGNORE_FILE}`) : undefined
  let ignore: Promise<IgnoreMatcher | undefined> | undefined
  return {
    file,
    vertex: edge.vertex.id,
    ignore: () => (ignore ??= loadIgnore(context, ownIgnore && { name: `${filename}${IGNORE_FILE}`, content: ownIgnore }, options, host)),
    context: (paths, matcher) => contextEdge(context, paths, matcher?.patterns ?? []),
  }
}

/** Throws BuildError with the place of what is wrong; before that `unreadable` is told what was read. */
export function parseDefinition(source: DefinitionSource, unreadable: (part: ReadPart) => void = () => undefined): Definition {
  const { file } = source
  return {
    ...source,
    dockerfile: withPlace(file, () => {
      try {
        return parseDockerfile(file.text, file.name)
      } catch (error) {
        if (error instanceof DockerfileError && error.readPart !== undefined) unreadable(error.readPart)
        throw error
      }
    }),
  }
}

function findDockerfile(
  options: FrontendOptions,
  context: MainContext,
  inputs: Readonly<Record<string, Edge>>,
): { edge: Edge; filename: string } {
  const { filename } = options
  const chosen = options.all['dockerfilekey']
  if (chosen === undefined) {
    const sent = inputs['dockerfile']
    if (sent !== undefined) return { edge: sent, filename }
    if (context.kind === 'fetched' && context.dockerfile !== undefined) return context.dockerfile
  }
  const name = chosen ?? 'dockerfile'
  const followed = [filename, `${filename}${IGNORE_FILE}`, ...(hasDefaultName(filename) ? [lowerCaseName(filename)] : [])]
  const edge = localEdge(
    { name, session: options.all[`local-sessionid:${name}`] },
    { followPaths: followed, excludePatterns: [], sharedKeyHint: name },
    `load build definition from ${filename}`,
  )
  return { edge, filename }
}

/** `Dockerfile` may as well be called `dockerfile`. */
function hasDefaultName(filename: string): boolean {
  return posix.basename(filename) === 'Dockerfile'
}

function lowerCaseName(filename: string): string {
  return posix.join(posix.dirname(filename), 'dockerfile')
}

async function readDockerfile(edge: Edge, filename: string, { history }: FrontendOptions, host: FrontendHost): Promise<SourceFile> {
  const named = await host.readFile(edge, filename)
  const bytes = named ?? (hasDefaultName(filename) ? await host.readFile(edge, lowerCaseName(filename)) : undefined)
  // Clients of the classic builder know it by its text.
  if (bytes === undefined && history === 'classic') throw invalidArgument(`Cannot locate specified Dockerfile: ${filename}`)
  if (bytes === undefined) throw notFound(`failed to read dockerfile: open ${filename}: no such file or directory`)
  if (bytes.length === 0) throw invalidArgument('the Dockerfile cannot be empty')
  return { name: filename, text: Buffer.from(bytes).toString() }
}

async function loadIgnore(
  context: MainContext,
  own: { name: string; content: Uint8Array } | undefined,
  { filename, history }: FrontendOptions,
  host: FrontendHost,
): Promise<IgnoreMatcher | undefined> {
  if (context.kind === 'fetched') return undefined
  const content = own?.content ?? (await host.readFile(ignoreEdge(context), IGNORE_FILE))
  if (content === undefined || content.length === 0) return undefined
  try {
    const matcher = createIgnoreMatcher(parseIgnoreFile(Buffer.from(content).toString()))
    return history === 'classic' && own === undefined ? forSentContext(matcher, filename) : matcher
  } catch (error) {
    throw invalidArgument(`failed parsing ${own?.name ?? IGNORE_FILE}: ${(error as Error).message}`, error)
  }
}

/** Clients of the classic builder leave out what is ignored but for these two files, which are needed to build. Source: moby daemon/builder/remotecontext/detect.go. */
function forSentContext(matcher: IgnoreMatcher, filename: string): IgnoreMatcher {
  const ignored = [filename, IGNORE_FILE].filter((name) => matcher.ignores(name))
  return createIgnoreMatcher(ignored.map((name) => name.replaceAll(/[\\*?[]/g, '\\$&')))
}

type LocalContext = Extract<MainContext, { kind: 'local' }>

function ignoreEdge(context: LocalContext): Edge {
  const patterns = { followPaths: [IGNORE_FILE], excludePatterns: [], sharedKeyHint: `${context.name}-${IGNORE_FILE}` }
  return localEdge(context, patterns, `load ${IGNORE_FILE}`)
}

function contextEdge(context: MainContext, paths: ReadonlySet<string>, excludePatterns: readonly string[]): Edge {
  if (context.kind === 'fetched') return context.edge
  return localEdge(context, { followPaths: followPaths(paths), excludePatterns, sharedKeyHint: context.name }, 'load build context')
}

function localEdge(
  { name, session }: Pick<LocalContext, 'name' | 'session'>,
  patterns: Pick<LocalSource, 'followPaths' | 'excludePatterns' | 'sharedKeyHint'>,
  step: string,
): Edge {
  const op: LocalSource = { kind: 'local', name, ...(session !== undefined && { session }), includePatterns: [], ...patterns }
  return { vertex: vertex(op, [], { name: `[internal] ${step}` }), output: 0 }
}
