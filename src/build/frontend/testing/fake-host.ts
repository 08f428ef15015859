import { EngineError } from '#errors'
import { digestOf } from '#oci'
import type { ImageConfigFile, Platform } from '#oci'
import type { Frontend } from '../../build-deps.ts'
import type { Edge } from '../../graph/types.ts'
import type { BuildResult, BuildWarning, FrontendHost, ImageRequest } from '../../types.ts'
import { solveDockerfile } from '../solve-dockerfile.ts'
import { createGateway } from '../solve-gateway.ts'

export interface FakeWorld {
  /** Directories of the client, and what URLs and repositories hold, by the source's name or address: path → content. */
  files?: Readonly<Record<string, Readonly<Record<string, string | Uint8Array>>>>
  /** By full reference; those that are not here have a small config. `undefined`: there is no such image. */
  images?: Readonly<Record<string, Partial<ImageConfigFile> | undefined>>
  options?: Readonly<Record<string, string>>
  /** Default: `dockerfile.v0`. */
  frontend?: 'gateway.v0'
  inputs?: Readonly<Record<string, Edge>>
  platform?: Platform
  /** Default: they are empty. */
  readDirectory?: FrontendHost['readDirectory']
  /** Runs images that are frontends. Default: none can be run. */
  runImage?: Frontend
  /** Where warnings go, for builds that fail. */
  warnings?: BuildWarning[]
}

export interface FakeBuild {
  result: BuildResult
  warnings: BuildWarning[]
  requests: ImageRequest[]
  /** `local dockerfile Dockerfile`: what was read. */
  reads: string[]
}

/** Runs the frontend on a Dockerfile in a world of plain data. */
export async function fakeBuild(dockerfile: string, world: FakeWorld = {}): Promise<FakeBuild> {
  const warnings: BuildWarning[] = world.warnings ?? []
  const requests: ImageRequest[] = []
  const reads: string[] = []
  const files = { dockerfile: { Dockerfile: dockerfile }, ...world.files }
  const host: FrontendHost = {
    session: {} as FrontendHost['session'],
    signal: new AbortController().signal,
    hostPlatform: world.platform ?? { os: 'linux', architecture: 'amd64' },
    async resolveImage(request) {
      requests.push(request)
      return await fakeImage(request, world)
    },
    async readFile(edge, path, range) {
      const name = sourceName(edge)
      reads.push(`${name} ${path}`)
      const content = (files as NonNullable<FakeWorld['files']>)[name]?.[path]
      if (content === undefined) return undefined
      const bytes = Buffer.from(content)
      return range === undefined ? bytes : bytes.subarray(range.offset, range.offset + range.length)
    },
    readDirectory: world.readDirectory ?? (() => Promise.resolve([])),
    warn: (warning) => void warnings.push(warning),
    forward: (request) => gateway(request, host),
    build: {} as FrontendHost['build'],
    show: () => ({ log: () => {}, done: () => {}, failed: () => {} }),
  }
  const gateway = createGateway(world.runImage ?? (({ options: { source } }) => Promise.reject(new Error(`${source} cannot be run`))))
  const { frontend = 'dockerfile.v0', options = {}, inputs = {} } = world
  const solve = frontend === 'gateway.v0' ? gateway : solveDockerfile
  return { result: await solve({ frontend, options, inputs }, host), warnings, requests, reads }
}

async function fakeImage({ reference, platform }: ImageRequest, { images = {} }: FakeWorld): ReturnType<FrontendHost['resolveImage']> {
  if (reference in images && images[reference] === undefined) throw new EngineError('NOT_FOUND', `${reference}: not found`)
  const digest = digestOf(Buffer.from(reference))
  const config: ImageConfigFile = {
    ...platform,
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: [digest] },
    history: [{ created_by: 'base' }],
    ...images[reference],
  }
  return { reference: reference.includes('@') ? reference : `${reference}@${digest}`, digest, config }
}

function sourceName({ vertex }: Edge): string {
  const { op } = vertex
  if (op.kind === 'local') return op.name
  if (op.kind === 'git') return op.remote
  if (op.kind === 'http') return op.url
  if (op.kind === 'file') return `unpacked ${vertex.inputs.map(sourceName).join(' ')}`
  return op.kind
}
