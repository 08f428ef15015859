import { writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import {
  Code,
  ConnectError,
  content,
  create,
  createGrpcServer,
  filesync,
  fromBinary,
  fsutil,
  health,
  metadataOf,
  secrets,
  sshforward,
  toBinary,
  upload,
  type ConnectRouter,
  type GrpcServer,
  type HandlerContext,
} from '#grpc'
import type { AuthConfig } from '../../config/config-file.ts'
import type { BuildOutput } from '../outputs.ts'
import type { SecretStore } from '../secrets.ts'
import type { SshAgent } from '../ssh/agent.ts'
import { serveAgent } from '../ssh/serve-agent.ts'
import { contentService, type StoreDirectories } from './directory-store.ts'
import { receiveDirectory } from './receive-directory.ts'
import { sendDirectory } from './send-directory.ts'

/** What the engine may ask of us while it builds. */
export interface SessionResources {
  /** By the names under which they are asked for: `context`, `dockerfile` … */
  directories: Readonly<Record<string, string>>
  secrets: SecretStore
  /** By id. */
  agents: ReadonlyMap<string, SshAgent>
  credentials: (host: string) => AuthConfig
  /** A context from standard input, offered once. */
  upload?: { path: string; read: () => AsyncIterable<Uint8Array> }
  /** In the order in which they were asked for; files for one come with its number as id. */
  outputs: readonly BuildOutput[]
  stores: StoreDirectories
}

/** The gRPC server that a build session is, from the client's side. Source: moby/buildkit session. */
export function createSessionServer(resources: SessionResources): GrpcServer {
  return createGrpcServer({ routes: (router) => addRoutes(router, resources) })
}

/** `/package.Service/Method` of everything that is served; the engine is told when the session is opened. */
export function sessionMethods(resources: SessionResources): string[] {
  const methods: string[] = []
  const recorder = {
    service: ({ typeName, methods: all }: { typeName: string; methods: readonly { name: string }[] }) =>
      methods.push(...all.map(({ name }) => `/${typeName}/${name}`)),
    rpc: ({ parent, name }: { parent: { typeName: string }; name: string }) => methods.push(`/${parent.typeName}/${name}`),
  }
  addRoutes(recorder as unknown as ConnectRouter, resources)
  return methods
}

function addRoutes(router: ConnectRouter, resources: SessionResources): void {
  router.service(health.Health, { check: () => ({ status: health.HealthCheckResponse_ServingStatus.SERVING }) })
  router.rpc(filesync.FileSync.method.diffCopy, (packets, context) => directory(resources, packets, context))
  router.service(secrets.Secrets, {
    getSecret({ id }) {
      const data = resources.secrets(id)
      if (data === undefined) throw new ConnectError(`secret ${id}: not found`, Code.NotFound)
      return { data }
    },
  })
  router.rpc(filesync.Auth.method.credentials, ({ host }) => credentials(resources.credentials(host)))
  if (resources.agents.size > 0) {
    router.service(sshforward.SSH, {
      checkAgent({ id }) {
        agent(resources, id)
        return {}
      },
      forwardAgent: (messages, context) => forwardAgent(agent(resources, single(context, 'buildkit.ssh.id')), messages),
    })
  }
  if (resources.upload !== undefined) router.rpc(upload.Upload.method.pull, (_, context) => pull(resources, context))
  if (resources.stores.size > 0) router.service(content.Content, contentService(resources.stores))
  if (resources.outputs.some(({ destination }) => destination !== undefined)) {
    const { diffCopy } = filesync.FileSend.method
    const schema = { input: filesync.AnyMessageSchema, output: filesync.AnyMessageSchema }
    router.rpc({ ...diffCopy, ...schema }, (messages, context) => receive(resources, messages, context))
  }
}

function directory(
  resources: SessionResources,
  packets: AsyncIterable<fsutil.Packet>,
  context: HandlerContext,
): AsyncIterable<fsutil.Packet> {
  const name = single(context, 'dir-name')
  const root = resources.directories[name]
  if (root === undefined) throw new ConnectError(`no access allowed to dir ${JSON.stringify(name)}`, Code.NotFound)
  const filter = {
    includePatterns: values(context, 'include-patterns'),
    excludePatterns: values(context, 'exclude-patterns'),
    followPaths: values(context, 'followpaths'),
  }
  return sendDirectory(root, filter, packets)
}

/** Values that are not plain ASCII come escaped, and say so in a header beside them. */
function values(context: HandlerContext, name: string): string[] {
  const metadata = metadataOf(context)
  const isEscaped = metadata.get(`${name}-encoded`)?.[0] === '1'
  return (metadata.get(name) ?? []).map((value) => (isEscaped ? decodeURIComponent(value.replaceAll('+', ' ')) : value))
}

function single(context: HandlerContext, name: string): string {
  return values(context, name)[0] ?? ''
}

function credentials({ username = '', password = '', identitytoken = '' }: AuthConfig): { username: string; secret: string } {
  // As for registries: without a user name the secret is a token.
  return identitytoken === '' ? { username, secret: password } : { username: '', secret: identitytoken }
}

function agent({ agents }: SessionResources, id: string): SshAgent {
  const found = agents.get(id === '' ? 'default' : id)
  if (found === undefined) throw new ConnectError(`unset ssh forward key ${id}`, Code.NotFound)
  return found
}

async function* forwardAgent(found: SshAgent, messages: AsyncIterable<sshforward.BytesMessage>): AsyncGenerator<sshforward.BytesMessage> {
  const bytes = mapped(messages, ({ data }) => data)
  for await (const data of serveAgent(found, bytes)) yield create(sshforward.BytesMessageSchema, { data })
}

async function* pull(resources: SessionResources, context: HandlerContext): AsyncGenerator<upload.BytesMessage> {
  const path = single(context, 'urlpath').replace(/^\//, '')
  const offered = resources.upload
  if (offered?.path !== path) throw new ConnectError(`no such upload: ${path}`, Code.NotFound)
  for await (const data of offered.read()) yield create(upload.BytesMessageSchema, { data })
}

type AnyMessage = filesync.AnyMessage

/** A result: a file in pieces, or a tree in packets. */
async function* receive(
  resources: SessionResources,
  messages: AsyncIterable<AnyMessage>,
  context: HandlerContext,
): AsyncGenerator<AnyMessage> {
  const output = outputOf(resources, single(context, 'buildkit-attachable-exporter-id'))
  const { destination } = output
  if (destination?.kind === 'directory') {
    const packets = mapped(messages, (message) => fromBinary(fsutil.PacketSchema, toBinary(filesync.AnyMessageSchema, message)))
    for await (const packet of receiveDirectory(destination, packets)) {
      yield fromBinary(filesync.AnyMessageSchema, toBinary(fsutil.PacketSchema, packet))
    }
    return
  }
  const pieces = mapped(messages, (message) => fromBinary(filesync.BytesMessageSchema, toBinary(filesync.AnyMessageSchema, message)).data)
  if (destination?.kind === 'file') return await writeFile(destination.path, pieces)
  for await (const data of pieces) if (!process.stdout.write(data)) await once(process.stdout, 'drain')
}

/** Engines that know one output only say no id. */
function outputOf({ outputs }: SessionResources, id: string): BuildOutput {
  const withFiles = outputs.filter(({ destination }) => destination !== undefined)
  const output = id === '' ? withFiles[0] : outputs[Number(id)]
  if (output === undefined) throw new ConnectError(`no output for exporter ${JSON.stringify(id)}`, Code.NotFound)
  return output
}

async function* mapped<From, To>(source: AsyncIterable<From>, change: (value: From) => To): AsyncGenerator<To> {
  for await (const value of source) yield change(value)
}
