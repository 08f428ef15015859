import { createMemoryMetadata, type Metadata } from '#metadata'
import { digestOf } from '#oci'
import type { Digest } from '#oci'
import type { ChainId } from '#snapshots'
import type { BuildServiceDeps } from '../build-deps.ts'
import { vertex } from '../graph/digest.ts'
import { PLAIN_EXEC } from '../graph/plain-exec.ts'
import type { Ref } from '../graph/ref.ts'
import type { Edge, ExecOp, FileOp, ImageSource, LocalSource, Vertex } from '../graph/types.ts'
import type { BuildEvent } from '../progress.ts'
import type { ContentSelection, ImportedCache, Step, StepResult } from '../types.ts'
import { COPY } from './sample-operations.ts'

/** What a fake RUN step does: the content of the file system it leaves. Hangs until it is aborted when the promise does. */
export type FakeProgram = (step: Step, inputs: readonly string[]) => string | Promise<string>

/**
 * Everything around the solver, without files: a file system is a text. `programs` by the step's first argument; a step without one leaves its arguments
 * behind what was there.
 */
export interface FakeParts {
  readonly deps: BuildServiceDeps
  readonly metadata: Metadata
  readonly programs: Map<string, FakeProgram>
  /** What the client's directory `context` holds now. */
  context: string
  /** Names of the steps that were carried out, in order. */
  readonly ran: string[]
  readonly chains: Map<ChainId, string>
  contentOf(ref: Ref): string
  readonly reported: unknown[]
  /** What the last exporter was told of the build's steps. */
  steps: readonly StepResult[]
}

export function createFakeParts(options: { metadata?: Metadata; chains?: Map<ChainId, string> } = {}): FakeParts {
  const metadata = options.metadata ?? createMemoryMetadata()
  const chains = options.chains ?? new Map<ChainId, string>()
  const directories = new Map<string, string>()
  const ran: string[] = []
  const reported: unknown[] = []
  const programs = new Map<string, FakeProgram>()
  let made = chains.size

  /** As drafts are: two of the same content are two. */
  const chainOf = (content: string): ChainId => {
    const chain: ChainId = digestOf(`chain ${made++}`)
    chains.set(chain, content)
    return chain
  }
  const contentOf = (ref: Ref): string => {
    if (ref.kind === 'directory') return directories.get(ref.path) ?? ''
    return ref.chain === undefined ? '' : (chains.get(ref.chain) ?? '')
  }
  const layers = (content: string): { kind: 'layers'; chain: ChainId } => ({ kind: 'layers', chain: chainOf(content) })

  async function runExec(inputs: readonly Ref[], step: Step): Promise<string> {
    const [command = '', ...args] = (step.vertex.op as ExecOp).args
    const contents = inputs.map(contentOf)
    const program = programs.get(command)
    if (program !== undefined) return await program(step, contents)
    return [contents[0] ?? '', command, ...args].join('+')
  }

  const unused = (): never => {
    throw new Error('not part of this test')
  }
  const parts: FakeParts = { context: 'files', deps: undefined as never, metadata, programs, ran, chains, contentOf, reported, steps: [] }
  const deps: BuildServiceDeps = {
    metadata,
    content: { lease: () => ({ hold: () => {}, durable: async () => {}, [Symbol.dispose]: () => {} }) },
    snapshotter: {
      has: (chain) => chains.has(chain),
      view: unused,
      layersOf: (chain) => [{ id: chain, isDraft: true }],
      draftUsage: async (chain) => ({ size: chains.get(chain)?.length ?? 0, inodes: 1 }),
    },
    files: { openRoot: unused, openInRoot: unused },
    settings: () => ({ entitlements: new Set(['network.host']), maxRunSteps: 4, collectionRules: [] }),
    hostPlatform: { os: 'linux', architecture: 'amd64' },
    devices: { list: async () => [] },
    platforms: () => [{ os: 'linux', architecture: 'amd64' }],
    frontends: {},
    sources: {
      image: {
        identify: async (source) => ({ key: source.reference, pinned: source }),
        async fetch({ reference }) {
          ran.push(`FROM ${reference}`)
          return layers(reference)
        },
      },
      local: {
        identify: unused,
        async fetch(source) {
          ran.push(`load ${source.name}`)
          const path = `/contexts/${directories.size}`
          directories.set(path, parts.context)
          return { kind: 'directory', path, generation: path }
        },
      },
      git: { identify: unused, fetch: unused },
      http: { identify: unused, fetch: unused },
      layout: { identify: unused, fetch: unused },
    },
    resolveImage: async ({ reference }) => ({ reference, digest: digestOf(reference), config: {} as never }),
    runners: {
      exec: {
        async run(inputs, step) {
          ran.push(step.vertex.meta.name)
          return [layers(await runExec(inputs, step))]
        },
      },
      file: {
        async run(inputs, step) {
          ran.push(step.vertex.meta.name)
          return [layers(inputs.map(contentOf).join('|'))]
        },
      },
      merge: { run: async (inputs) => [layers(inputs.map(contentOf).join('&'))] },
      diff: { run: unused },
    },
    digests: {
      async digest(ref: Ref, { path }: ContentSelection): Promise<Digest> {
        if (path === '/missing') throw Object.assign(new Error('"/missing": not found'))
        return digestOf(contentOf(ref))
      },
    },
    cacheMounts: { retire: (ids) => void ran.push(`retire ${[...ids].join(' ')}`) },
    exporters: {
      prepare: () => ({
        async export({ images }, { steps }) {
          parts.steps = steps
          return { content: images.map(({ ref }) => contentOf(ref)).join(',') }
        },
      }),
      describe: ({ buildId }) => ({ predicateType: 'made-of', predicate: { buildId } }),
    },
    caches: { open: unused, prepare: unused },
    openContainer: unused,
    stores: [],
    imageLayers: () => new Set(),
    freeSpace: () => 1e12,
    released: () => {},
    report: (error) => void reported.push(error),
    now: () => Date.now(),
  }
  return Object.assign(parts, { deps })
}

const PLAIN_CACHE = { type: 'cache', sharing: 'shared', readonly: false, input: -1, selector: '', mode: 0o755, uid: 0, gid: 0 } as const

const PLATFORM = { os: 'linux', architecture: 'amd64' }

export function image(reference: string): Vertex {
  const op: ImageSource = { kind: 'image', reference, platform: PLATFORM, resolveMode: 'local' }
  return vertex(op, [], { name: `FROM ${reference}` })
}

export function context(): Vertex {
  const op: LocalSource = { kind: 'local', name: 'context', includePatterns: [], excludePatterns: [], followPaths: [], sharedKeyHint: '' }
  return vertex(op, [], { name: 'load context' })
}

/** The cache of `parts`, as its last export has told it, for another machine. Fetching is noted in that one's `ran`. `min`: without steps that only others read. */
export function importedFrom({ steps, chains }: FakeParts, into: FakeParts, mode: 'min' | 'max'): ImportedCache {
  return {
    find(key) {
      const step = steps.find(({ keys, isInResult }) => keys.includes(key) && (mode === 'max' || isInResult))
      if (step?.chain === undefined) return undefined
      const { keys, chain, createdAt, description } = step
      return { key: keys[0], layers: [chain], createdAt, description }
    },
    async fetch([chain]) {
      into.ran.push('fetch layers')
      if (chain === undefined) return { kind: 'layers', chain }
      into.chains.set(chain, chains.get(chain) ?? '')
      return { kind: 'layers', chain }
    },
  }
}

/** A RUN step over `base`. */
export function run(
  base: Vertex,
  args: readonly string[],
  options: { ignoreCache?: boolean; proxyEnv?: string[]; network?: 'host'; caches?: string[] } = {},
): Vertex {
  const op: ExecOp = {
    ...PLAIN_EXEC,
    args,
    network: options.network ?? 'default',
    mounts: [
      { type: 'bind', target: '/', input: 0, selector: '', readonly: false, output: 0, contentKey: false },
      ...(options.caches ?? []).map((id) => ({ ...PLAIN_CACHE, id, target: `/${id}` })),
    ],
    proxyEnv: options.proxyEnv ?? [],
    platform: PLATFORM,
  }
  return vertex(op, [edge(base)], { name: `RUN ${args.join(' ')}`, ...(options.ignoreCache === true && { ignoreCache: true }) })
}

/** `COPY --from=<from> <source> /` over `base`. */
export function copy(base: Vertex, from: Vertex, source = '/'): Vertex {
  const op: FileOp = {
    kind: 'file',
    actions: [{ ...COPY, input: 0, output: 0, from: 1, source }],
  }
  return vertex(op, [edge(base), edge(from)], { name: `COPY ${source}` })
}

export function edge(of: Vertex): Edge {
  return { vertex: of, output: 0 }
}

/** `cached RUN a`, `done RUN b`, `failed …`: the ends of vertices, in order. */
export function endsOf(events: readonly BuildEvent[]): string[] {
  return events.flatMap((event) => {
    if (event.kind !== 'vertex' || event.completed === undefined) return []
    return [`${event.error === undefined ? (event.cached ? 'cached' : 'done') : `failed (${event.error})`} ${event.name}`]
  })
}
