import { randomUUID } from 'node:crypto'
import { addAbortListener } from 'node:events'
import { chmodSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { MessageChannel } from 'node:worker_threads'
import { batched } from '#archive'
import { notFound } from '#errors'
import type { Files } from '#kernel'
import type { Credentials } from '#remotes'
import type { JobRunner } from '#snapshots'
import { sendChunks } from './chunk-port.ts'
import type { BuildSession } from './session.ts'
import { createBackgroundDeletions } from './sources/background-deletions.ts'
import { hostTransfer } from './sources/local/host-transfer.ts'
import type { UploadedContext } from './unpack-context.ts'

export interface UploadedSessionsDeps {
  /** Its own, on the file system of the kept directories; made when absent. */
  directory: string
  files: Files
  /** For contexts that come, and for deletions. */
  jobs: Pick<JobRunner, 'run'>
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

/** A worker unpacks what comes: thousands of files would hold up everybody else here. */
async function receive({ jobs, owner }: UploadedSessionsDeps, archive: Readable, path: string, signal: AbortSignal): Promise<void> {
  const { port1: near, port2: far } = new MessageChannel()
  const input: UploadedContext = { port: far, path, owner }
  const unpacking = jobs.run({ kind: 'task', task: 'build-unpack-context', input, waits: true }, { signal, transfer: [far] })
  const over = new AbortController()
  // A client that sends nothing more would be waited for.
  using _ = addAbortListener(AbortSignal.any([signal, over.signal]), () => archive.destroy())
  let broken: { error: unknown } | undefined
  const sending = sendChunks(near, batched(archive), over.signal).catch((error: unknown) => {
    if (!over.signal.aborted) broken = { error }
  })
  try {
    await unpacking
  } catch (error) {
    signal.throwIfAborted()
    // What the client's connection has failed with says more than that nothing comes.
    throw broken === undefined ? error : broken.error
  } finally {
    over.abort()
    await sending
    near.close()
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
