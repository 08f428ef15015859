import { invalidArgument } from '#errors'
import { withoutLogin } from '#lib'
import { vertex } from '../../graph/digest.ts'
import type { Edge, Op } from '../../graph/types.ts'
import { parseGitUrl } from '../../sources/git/parse-git-url.ts'
import type { FrontendHost } from '../../types.ts'
import { parseBoolean } from '../option-values.ts'
import type { FrontendOptions } from '../options.ts'
import { looksLikeArchive } from './archive-header.ts'
import { copiedEdge } from './copied-edge.ts'
import { gitSource } from './git-source.ts'
import { httpSource, isHttpAddress } from './http-source.ts'
import { rooted } from './paths.ts'

/** Where COPY takes its files from: a directory of the client, or a file system that the engine fetches. */
export type MainContext =
  | { readonly kind: 'local'; readonly name: string; readonly session: string | undefined }
  | {
      readonly kind: 'fetched'
      readonly edge: Edge
      /** Where the Dockerfile is, unless the client sends one beside it. */
      readonly dockerfile: { readonly edge: Edge; readonly filename: string } | undefined
    }

type FetchedContext = Extract<MainContext, { kind: 'fetched' }>

/** Name of the file that is fetched by URL. */
const FETCHED = 'context'
const HEADER_LENGTH = 1024

/** The context that the options name. An archive from a URL is unpacked. Source: moby/buildkit frontend/dockerui/context.go. */
export async function findMainContext(
  options: FrontendOptions,
  inputs: Readonly<Record<string, Edge>>,
  host: FrontendHost,
): Promise<MainContext> {
  const name = options.all['contextkey'] ?? 'context'
  const fetched = await fetchedContext(options, options.all[name] ?? '', inputs, host)
  if (fetched === undefined) return { kind: 'local', name, session: options.all[`local-sessionid:${name}`] }
  // The Dockerfile's path is that in the whole context.
  const subdirectory = options.all['contextsubdir'] ?? ''
  return subdirectory === '' ? fetched : { ...fetched, edge: subdirectoryOf(fetched.edge, subdirectory) }
}

async function fetchedContext(
  options: FrontendOptions,
  place: string,
  inputs: Readonly<Record<string, Edge>>,
  host: FrontendHost,
): Promise<FetchedContext | undefined> {
  const git = parseGitUrl(place)
  if (git !== undefined) {
    const keep = options.buildArgs.get('BUILDKIT_CONTEXT_KEEP_GIT_DIR') ?? ''
    const keepGitDirectory = git.keepGitDirectory === true || (keep !== '' && parseBoolean(keep, 'BUILDKIT_CONTEXT_KEEP_GIT_DIR'))
    // A client that sets a time wants the same image each time.
    const mtime = git.mtime ?? ((options.buildArgs.get('SOURCE_DATE_EPOCH') ?? '') === '' ? 'checkout' : 'commit')
    // Progress is shown, and kept in the history.
    const name = `load git source ${withoutLogin(place)}`
    return withDockerfile(source(gitSource({ ...git, mtime }, keepGitDirectory), name), options.filename)
  }
  if (isHttpAddress(place)) return await fromUrl(place, options.filename, host)
  const edge = inputs['context']
  return edge && { kind: 'fetched', edge, dockerfile: undefined }
}

function withDockerfile(edge: Edge, filename: string): FetchedContext {
  return { kind: 'fetched', edge, dockerfile: { edge, filename } }
}

async function fromUrl(url: string, filename: string, host: FrontendHost): Promise<FetchedContext> {
  const file = source(httpSource(url, { filename: FETCHED }), 'load remote build context')
  const header = await host.readFile(file, FETCHED, { offset: 0, length: HEADER_LENGTH })
  if (header === undefined) throw invalidArgument('failed to read downloaded context')
  if (!looksLikeArchive(header)) return withDockerfile(file, FETCHED)
  const edge = copiedEdge(file, { source: `/${FETCHED}`, unpack: true, directoryContentsOnly: false }, 'unpack remote build context')
  return withDockerfile(edge, filename)
}

function subdirectoryOf(edge: Edge, directory: string): Edge {
  return copiedEdge(edge, { source: rooted(directory), unpack: false, directoryContentsOnly: true }, `select ${directory} of build context`)
}

function source(op: Op, name: string): Edge {
  return { vertex: vertex(op, [], { name: `[internal] ${name}` }), output: 0 }
}
