import { parseIgnoreFile } from '#dockerfile'
import { invalidArgument, notFound } from '#errors'
import { decodeImageConfig, familiarString, formatPlatform, fullString, normalisePlatform, parseReference, withDefaultTag } from '#oci'
import type { ImageConfigFile, Platform } from '#oci'
import { parseJson, withoutLogin } from '#lib'
import { vertex } from '../../graph/digest.ts'
import type { Edge, LocalSource, Op } from '../../graph/types.ts'
import type { FrontendHost } from '../../types.ts'
import type { FrontendOptions } from '../options.ts'
import type { LateTree, Tree } from '../tree.ts'
import { parseGitUrl } from '../../sources/git/parse-git-url.ts'
import { gitSource } from './git-source.ts'
import { httpSource } from './http-source.ts'
import { imageSource } from './image-source.ts'
import { followPaths } from './paths.ts'

/** What a named context is: files, and the config where it is an image. */
export interface LoadedContext {
  tree: Tree
  config: ImageConfigFile | undefined
}

/** `--build-context name=…`, for one platform. */
export interface NamedContext {
  readonly name: string
  /** `paths`: what is needed of it, complete when the tree is made an edge. */
  load(paths: ReadonlySet<string>): Promise<LoadedContext>
}

export interface NamedContexts {
  /** The context that stands for a stage or an image of this name. Throws INVALID_ARGUMENT when it can be no name. */
  find(name: string, platform: Platform): NamedContext | undefined
}

interface Facts {
  /** With platform where the client gave one for each: `base::linux/arm64`. */
  readonly name: string
  /** `local:dir`, `docker-image://alpine`. */
  readonly place: string
  readonly platform: Platform
  readonly options: FrontendOptions
  readonly inputs: Readonly<Record<string, Edge>>
  readonly host: FrontendHost
  /** What is needed of it, by those who load it. */
  readonly paths: ReadonlySet<ReadonlySet<string>>
}

const MAX_METADATA = { maxBytes: 8 * 1024 * 1024, maxDepth: 32 }

/** Contexts of options `context:<name>`, each loaded once. Source: moby/buildkit frontend/dockerui/namedcontext.go. */
export function createNamedContexts(options: FrontendOptions, inputs: Readonly<Record<string, Edge>>, host: FrontendHost): NamedContexts {
  const opened = new Map<string, NamedContext>()
  const open = (name: string, place: string, platform: Platform): NamedContext => {
    const paths = new Set<ReadonlySet<string>>()
    let loaded: Promise<LoadedContext> | undefined
    return {
      name,
      load(needed) {
        paths.add(needed)
        return (loaded ??= loadContext({ name, place, platform, options, inputs, host, paths }))
      },
    }
  }
  return {
    find(written, platform) {
      if (/^(?:scratch|context)$/i.test(written)) return undefined
      const short = contextName(written)
      const forPlatform = `${short}::${formatPlatform(normalisePlatform(platform))}`
      const name = [forPlatform, short].find((key) => options.all[`context:${key}`] !== undefined)
      if (name === undefined) return undefined
      // What it holds depends on the platform, whatever it is called.
      const key = `${name} ${forPlatform}`
      const context = opened.get(key) ?? open(name, options.all[`context:${name}`] ?? '', platform)
      opened.set(key, context)
      return context
    },
  }
}

/** As clients write it: `alpine` for `docker.io/library/alpine:latest`. */
function contextName(written: string): string {
  try {
    return familiarString(parseReference(written)).replace(/:latest$/, '')
  } catch (error) {
    throw invalidArgument(`invalid context name ${written}: ${(error as Error).message}`, error)
  }
}

async function loadContext(facts: Facts): Promise<LoadedContext> {
  const { name, place } = facts
  const colon = place.indexOf(':')
  if (colon < 0) throw invalidArgument(`invalid context specifier ${place} for ${name}`)
  const kind = place.startsWith('git@') ? 'git' : place.slice(0, colon)
  const rest = place.slice(colon + 1)
  switch (kind) {
    case 'docker-image':
      return await loadImage(facts, rest.replace(/^\/\//, ''))
    case 'git':
    case 'ssh':
    case 'http':
    case 'https':
      return { tree: known(loadRemote(facts)), config: undefined }
    case 'oci-layout':
      return await loadLayout(facts, rest.replace(/^\/\//, ''))
    case 'local':
      return { tree: await loadLocal(facts, rest), config: undefined }
    case 'input':
      return loadInput(facts, rest)
    default:
      throw invalidArgument(`unsupported context source ${kind} for ${name}`)
  }
}

async function loadImage({ name, platform, options, host }: Facts, written: string): Promise<LoadedContext> {
  if (written === 'scratch') return { tree: undefined, config: undefined }
  const reference = fullString(withDefaultTag(parseReference(written)))
  const resolved = await host.resolveImage({
    reference,
    platform,
    resolveMode: options.resolveMode,
    name: `[context ${name}] load metadata for ${reference}`,
  })
  const op = imageSource(resolved, platform, options.resolveMode)
  return { tree: known(source(op, `[context ${name}] ${resolved.reference}`)), config: resolved.config }
}

function loadRemote({ name, place }: Facts): Edge {
  const git = parseGitUrl(place)
  if (git !== undefined) return source(gitSource(git, git.keepGitDirectory ?? false), `[internal] load git source ${withoutLogin(place)}`)
  if (!/^https?:/.test(place)) throw invalidArgument(`invalid git context ${place}`)
  return source(httpSource(place, { filename: 'context' }), `[context ${name}] ${withoutLogin(place)}`)
}

/** `store@sha256:…`, as the client has named its directory. */
async function loadLayout({ name, platform, options, host }: Facts, specifier: string): Promise<LoadedContext> {
  const [store = '', digest] = specifier.split('@')
  if (digest === undefined) throw invalidArgument(`oci-layout reference ${JSON.stringify(specifier)} has no digest`)
  // Only shown; which image it is the digest says.
  const reference = `${name.split('::', 1)[0]}@${digest}`
  const storeId = store.replace(/:[^/:]*$/, '')
  const resolved = await host.resolveImage({
    reference,
    platform,
    resolveMode: options.resolveMode,
    name: `[context ${name}] load metadata for ${reference}`,
    layout: storeId,
  })
  const op: Op = { kind: 'layout', store: storeId, reference, platform }
  return { tree: known(source(op, `[context ${name}] OCI load from client`)), config: resolved.config }
}

/** A directory of the client, without what its own `.dockerignore` names, and only what is needed of it. */
async function loadLocal({ name, options, host, paths }: Facts, directory: string): Promise<LateTree> {
  const session = options.all[`local-sessionid:${directory}`]
  const local = (patterns: Pick<LocalSource, 'excludePatterns' | 'followPaths' | 'sharedKeyHint'>): Op => ({
    kind: 'local',
    name: directory,
    ...(session !== undefined && { session }),
    includePatterns: [],
    ...patterns,
  })
  const ignoreFile = source(
    local({ excludePatterns: [], followPaths: ['.dockerignore'], sharedKeyHint: `context:${name}-.dockerignore` }),
    `[context ${name}] load .dockerignore`,
  )
  const text = await host.readFile(ignoreFile, '.dockerignore')
  const excludePatterns = text === undefined ? [] : parseIgnoreFile(Buffer.from(text).toString())
  const sharedKeyHint = `context:${name}-${options.all[`sharedkey:localdir:${name}`] ?? ''}`
  return {
    kind: 'late',
    edge: () => {
      const needed = new Set([...paths].flatMap((some) => [...some]))
      return source(local({ excludePatterns, followPaths: followPaths(needed), sharedKeyHint }), `[context ${name}] load from client`)
    },
  }
}

function loadInput({ name, options, inputs }: Facts, input: string): LoadedContext {
  const edge = inputs[input]
  if (edge === undefined) throw notFound(`invalid input ${input} for ${name}`)
  const metadata = options.all[`input-metadata:${input}`]
  return { tree: known(edge), config: metadata === undefined ? undefined : inputConfig(metadata) }
}

/** Metadata is a JSON object of base64 texts. */
function inputConfig(metadata: string): ImageConfigFile | undefined {
  const members = parseJson(Buffer.from(metadata), MAX_METADATA) as Record<string, unknown>
  const config = members['containerimage.config']
  return typeof config === 'string' ? decodeImageConfig(Buffer.from(config, 'base64')) : undefined
}

function source(op: Op, name: string): Edge {
  return { vertex: vertex(op, [], { name }), output: 0 }
}

function known(edge: Edge): Tree {
  return { kind: 'known', edge }
}
