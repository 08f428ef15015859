import type { Duplex } from 'node:stream'
import type { BuildSession, ExportTarget } from '#build'
import { codeOf, invalidArgument, notFound } from '#errors'
import {
  connectGrpc,
  createClient,
  filesync,
  fromGrpcError,
  health,
  isUnimplemented,
  secrets,
  sshforward,
  upload,
  type GrpcConnection,
  type Transport,
} from '#grpc'
import type { Credentials } from '#remotes'
import { clientStore } from './client-store.ts'
import { messageDuplex, messageReadable, type BytesMessage } from './message-stream.ts'
import { Outbox } from './outbox.ts'
import { receiveDirectory } from './receive-directory.ts'
import { sendDirectory } from './send-directory.ts'
import { sendFile } from './send-file.ts'
import { sessionHeaders } from './session-metadata.ts'

/** How a client introduces its session, in headers of the request that opens it. */
export interface SessionHello {
  /** `X-Docker-Expose-Session-Uuid`. */
  id: string
  /** `X-Docker-Expose-Session-Sharedkey`. */
  sharedKey: string
}

/** The services of a client, until its connection ends. */
export interface ClientSession extends BuildSession {
  /** Cuts the connection. */
  close(): void
}

/** Milliseconds. Source: moby/buildkit session/grpc.go, monitorHealth. */
const HEALTH_INTERVAL = 5000
const HEALTH_TIMEOUT = 15_000
/** Bytes; as in BuildKit. */
const MAX_SECRET = 500 * 1024

/** Metadata of exporters that clients know by a name of their own; all others go under a prefix. */
const OWN_NAMES = /^buildkit-/

/** Calls the services that the client serves on `socket`; it is ours from now on. */
export function openClientSession(socket: Duplex, { id, sharedKey }: SessionHello): ClientSession {
  const connection = connectGrpc(socket)
  const { transport, closed } = connection
  watchHealth(connection)

  return {
    id,
    sharedKey,
    closed,
    close: () => connection.close(),

    directory: (request) => receiveDirectory(transport, request),

    async secret(secretId) {
      const data = await readSecret(transport, secretId)
      if (data !== undefined && data.length > MAX_SECRET) throw invalidArgument(`secret ${secretId} is larger than ${MAX_SECRET} bytes`)
      return data
    },

    async checkAgent(agentId) {
      try {
        await createClient(sshforward.SSH, transport).checkAgent({ id: agentId })
      } catch (error) {
        throw notFound(fromGrpcError(error).message, error)
      }
    },

    async forwardAgent(agentId) {
      const headers = sessionHeaders({ 'buildkit.ssh.id': agentId })
      const outgoing = new Outbox<BytesMessage>()
      return messageDuplex(outgoing, createClient(sshforward.SSH, transport).forwardAgent(outgoing, { headers, signal: closed }))
    },

    async credentials(host) {
      try {
        const answer = await createClient(filesync.Auth, transport).credentials({ host })
        return credentialsOf(answer.username, answer.secret)
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw fromGrpcError(error)
      }
    },

    async upload(url) {
      const headers = sessionHeaders({ urlpath: url.pathname, urlhost: url.host })
      return messageReadable(createClient(upload.Upload, transport).pull(nothing(), { headers, signal: closed }))
    },

    async sendFile(target) {
      return sendFile(transport, exportHeaders(target), AbortSignal.any([target.signal, closed]))
    },

    sendDirectory: (target, entries, read) =>
      sendDirectory(transport, { entries, read, headers: exportHeaders(target), signal: target.signal }),

    store: (storeId) => clientStore(transport, storeId),
  }
}

/** undefined: there is none. */
async function readSecret(transport: Transport, id: string): Promise<Uint8Array | undefined> {
  try {
    return (await createClient(secrets.Secrets, transport).getSecret({ id })).data
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw fromGrpcError(error)
  }
}

function exportHeaders({ exporter, metadata }: ExportTarget): Record<string, string> {
  const values: Record<string, string> = exporter === '' ? {} : { 'buildkit-attachable-exporter-id': exporter }
  for (const [name, value] of Object.entries(metadata)) values[OWN_NAMES.test(name) ? name : `exporter-md-${name.toLowerCase()}`] = value
  return sessionHeaders(values)
}

function credentialsOf(username: string, secret: string): Credentials | undefined {
  if (secret === '' && username === '') return undefined
  return username === '' ? { identityToken: secret } : { username, password: secret }
}

/** A client that does not serve secrets or logins at all has none. */
function isAbsent(error: unknown): boolean {
  return isUnimplemented(error) || codeOf(fromGrpcError(error)) === 'NOT_FOUND'
}

/** A client that hangs, or a network that is gone without a word, must not keep a build. Two failures in a row end the session. */
function watchHealth(connection: GrpcConnection): void {
  const { transport, closed } = connection
  const client = createClient(health.Health, transport)
  let failures = 0
  let asking = false
  const timer = setInterval(() => {
    if (asking) return
    asking = true
    client
      .check({}, { timeoutMs: HEALTH_TIMEOUT })
      .then(
        () => (failures = 0),
        // A server without this service answers, which is what counts.
        (error: unknown) => (failures = isUnimplemented(error) ? 0 : failures + 1),
      )
      .finally(() => {
        asking = false
        if (failures >= 2) connection.close()
      })
  }, HEALTH_INTERVAL)
  timer.unref()
  const stop = (): void => clearInterval(timer)
  if (closed.aborted) stop()
  else closed.addEventListener('abort', stop, { once: true })
}

async function* nothing(): AsyncGenerator<never> {}
