import { randomUUID } from 'node:crypto'
import { chmodSync, closeSync, constants, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { decompress } from '#archive'
import { invalidArgument, notFound } from '#errors'
import type { Files } from '#kernel'
import { LimitExceededError, readLimited } from '#lib'
import type { Credentials } from '#remotes'
import { extractTree } from '#snapshots'
import type { JobRunner } from '#snapshots'
import { looksLikeArchive } from './frontend/context/archive-header.ts'
import type { BuildSession } from './session.ts'
import { createBackgroundDeletions } from './sources/background-deletions.ts'
import { hostTransfer } from './sources/local/host-transfer.ts'

export interface UploadedSessionsDeps {
  /** Its own, on the file system of the kept directories; made when absent. */
  directory: string
  files: Files
  /** For deletions. A worker is up when the files have come: the build wants one next. */
  jobs: Pick<JobRunner, 'run' | 'warmUp'>
  /** Whose the files are; root in the daemon. */
  owner: { uid: number; gid: number }
  /** Hears of failures in the background. */
  report: (error: unknown) => void
}

export interface UploadOptions {
  /** Logins by registry; that of Docker Hub is `docker.io`. */
  credentials: Readonly<Record<string, Credentials>>
  signal: AbortSignal
}

/** Sessions of clients that send everything at once: the classic builder's. */
export interface UploadedSessions {
  /**
   * A session whose directories `context` and `dockerfile` are what the archive (compressed or not) holds; what is no archive is a Dockerfile. Without one it
   * has no directories. There are logins, but no secrets and no SSH agents. Disposing deletes the files. Throws INVALID_ARGUMENT for a bad archive.
   */
  open(archive: Readable | undefined, options: UploadOptions): Promise<BuildSession & AsyncDisposable>
  /** After a start, before anything else: deletes what an earlier daemon left, in the background. */
  restore(): void
  /** Waits for deletions in the background. */
  settled(): Promise<void>
}

/** Bytes of a Dockerfile that comes alone. */
const LARGEST_DOCKERFILE = 16 * 1024 * 1024
/** As many as tell an archive from text. */
const HEADER_LENGTH = 512

export function createUploadedSessions(deps: UploadedSessionsDeps): UploadedSessions {
  const { directory, files } = deps
  const deletions = createBackgroundDeletions(deps)

  return {
    async open(archive, options) {
      await using undo = new AsyncDisposableStack()
      const closing = new AbortController()
      undo.defer(() => closing.abort())
      const path = archive === undefined ? undefined : join(directory, randomUUID())
      if (archive !== undefined && path !== undefined) {
        mkdirSync(path, { recursive: true, mode: 0o700 })
        undo.defer(() => deletions.delete(path))
        deps.jobs.warmUp?.()
        await receive(deps, archive, path, options.signal)
        // RUN steps of any user may look into it by a bind mount; users of the host cannot, because of the directory above.
        chmodSync(path, 0o755)
      }
      const session = uploadedSession(path, options, AbortSignal.any([closing.signal, options.signal]))
      const kept = undo.move()
      return Object.assign(session, { [Symbol.asyncDispose]: () => kept.disposeAsync() })
    },

    restore() {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      // As for layers: where thousands of files have just been deleted, ext4 looks among the dead for each new one, which makes a context ten times as slow.
      files.spreadSubdirectories(directory)
      for (const name of readdirSync(directory)) deletions.delete(join(directory, name))
    },

    settled: () => deletions.settled(),
  }
}

async function receive({ files, owner }: UploadedSessionsDeps, archive: Readable, path: string, signal: AbortSignal): Promise<void> {
  const { chunks } = await decompress(archive as AsyncIterable<Buffer>)
  const { start, all } = await peek(chunks)
  if (!looksLikeArchive(start)) {
    writeFileSync(join(path, 'Dockerfile'), await readDockerfile(all), { mode: 0o644 })
    return
  }
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await extractTree(files, fd, all, { whiteouts: 'none', owner, signal })
  } finally {
    closeSync(fd)
  }
}

async function peek(chunks: AsyncGenerator<Buffer, void, void>): Promise<{ start: Buffer; all: AsyncIterable<Buffer> }> {
  const first: Buffer[] = []
  let length = 0
  while (length < HEADER_LENGTH) {
    const next = await chunks.next()
    if (next.done === true) break
    first.push(next.value)
    length += next.value.length
  }
  async function* all(): AsyncGenerator<Buffer, void, void> {
    yield* first
    yield* chunks
  }
  return { start: Buffer.concat(first), all: all() }
}

async function readDockerfile(text: AsyncIterable<Buffer>): Promise<Buffer> {
  try {
    return await readLimited(text, LARGEST_DOCKERFILE, 'the Dockerfile')
  } catch (error) {
    throw error instanceof LimitExceededError ? invalidArgument(error.message, error) : error
  }
}

function uploadedSession(path: string | undefined, { credentials }: UploadOptions, closed: AbortSignal): BuildSession {
  const absent = (what: string): never => {
    throw notFound(`${what}: not found: the client has sent a build context and nothing else`)
  }
  return {
    id: randomUUID(),
    // Nothing is kept of a context that comes in one piece.
    sharedKey: '',
    namesImages: true,
    closed,
    async directory({ name, ...request }) {
      if (path === undefined || (name !== 'context' && name !== 'dockerfile')) return absent(`directory ${name}`)
      return hostTransfer(path, request)
    },
    secret: async () => undefined,
    checkAgent: async (id) => absent(`SSH agent ${id}`),
    forwardAgent: async (id) => absent(`SSH agent ${id}`),
    credentials: async (host) => credentials[host === 'registry-1.docker.io' ? 'docker.io' : host],
    upload: async (url) => absent(url.href),
    sendFile: async ({ exporter }) => absent(`exporter ${exporter}`),
    sendDirectory: async ({ exporter }) => absent(`exporter ${exporter}`),
    store: (id) => absent(`content store ${id}`),
  }
}
