/**
 * A small stand-in for an engine: answers of a fixed shape on a unix socket, enough for any Docker client to list, inspect, run and stream.
 * It keeps no state but a list of the requests it got.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { RUNNING_ID, STOPPED_ID } from './fixtures-ids.ts'
import { FIXTURES } from './fixtures.ts'
import { pullMessages, pushMessages, SEARCH, TREE } from './fixtures-registry.ts'

export interface FakeEngine extends AsyncDisposable {
  /** `unix:///…`, for DOCKER_HOST. */
  host: string
  /** `GET /containers/json?all=1`, in order, without version. */
  requests: string[]
  /** Bodies of requests with JSON, by `METHOD /path`. */
  bodies: Map<string, unknown>
}

export interface FakeEngineOptions {
  apiVersion?: string
  /** What a container writes when attached: pieces for standard output and error, in order. */
  output?: [stream: 1 | 2, text: string | Buffer][]
  /** Status of a container that ends. */
  exitCode?: number
  /** Answer of start, when it fails. */
  startError?: { status: number; message: string }
  /** Answer of create for an image that is missing; then the pull is answered with 501. */
  missingImage?: boolean
}

type Handler = (request: Request) => void

interface Request {
  method: string
  path: string
  query: URLSearchParams
  body: Buffer
  response: ServerResponse
  options: FakeEngineOptions
}

export async function startFakeEngine(options: FakeEngineOptions = {}): Promise<FakeEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'fake-engine-'))
  const path = join(directory, 'engine.sock')
  const engine: FakeEngine = {
    host: `unix://${path}`,
    requests: [],
    bodies: new Map(),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(directory, { recursive: true, force: true })
    },
  }
  const server = createServer((request, response) => void answer(engine, options, request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => hijack(engine, options, request, socket, head))
  await listen(server, path)
  return engine
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve) => server.listen(path, resolve))
}

async function answer(engine: FakeEngine, options: FakeEngineOptions, message: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const url = new URL(message.url ?? '/', 'http://engine')
  const path = decodeURIComponent(url.pathname.replace(/^\/v[\d.]+/, ''))
  const method = message.method ?? 'GET'
  const body = Buffer.concat(chunks)
  engine.requests.push(`${method} ${path}${url.search}`)
  if (body.length > 0 && message.headers['content-type'] === 'application/json')
    engine.bodies.set(`${method} ${path}`, JSON.parse(body.toString()))
  response.setHeader('Api-Version', options.apiVersion ?? '1.50')
  response.setHeader('Ostype', 'linux')
  response.setHeader('Docker-Experimental', 'false')
  response.setHeader('Server', 'Docker/28.2.2 (linux)')
  const route = ROUTES.find(([verb, pattern]) => verb === method && pattern.test(path))
  if (route === undefined) return json(response, 404, { message: 'page not found' })
  route[2]({ method, path, query: url.searchParams, body, response, options })
}

const ROUTES: [string, RegExp, Handler][] = [
  ['HEAD', /^\/_ping$/, ({ response }) => ping(response)],
  ['GET', /^\/_ping$/, ({ response }) => ping(response, 'OK')],
  ['GET', /^\/version$/, ({ response }) => json(response, 200, FIXTURES['version'])],
  ['GET', /^\/info$/, ({ response }) => json(response, 200, FIXTURES['info'])],
  ['GET', /^\/events$/, ({ response }) => stream(response, FIXTURES['events'])],
  ['GET', /^\/system\/df$/, ({ response }) => json(response, 200, FIXTURES['diskUsage'])],
  ['GET', /^\/containers\/json$/, listContainers],
  ['POST', /^\/containers\/create$/, create],
  ['POST', /^\/containers\/prune$/, ({ response }) => json(response, 200, { ContainersDeleted: [STOPPED_ID], SpaceReclaimed: 1234567 })],
  ['GET', /^\/containers\/[^/]+\/json$/, inspect],
  ['GET', /^\/containers\/[^/]+\/logs$/, logs],
  ['GET', /^\/containers\/[^/]+\/stats$/, ({ response }) => json(response, 200, FIXTURES['stats'])],
  ['GET', /^\/containers\/[^/]+\/top$/, ({ response }) => json(response, 200, FIXTURES['top'])],
  ['GET', /^\/containers\/[^/]+\/changes$/, ({ response }) => json(response, 200, FIXTURES['changes'])],
  ['GET', /^\/containers\/[^/]+\/export$/, ({ response }) => response.end('tar bytes')],
  ['POST', /^\/containers\/[^/]+\/start$/, start],
  ['POST', /^\/containers\/[^/]+\/wait$/, wait],
  ['POST', /^\/containers\/[^/]+\/update$/, ({ response }) => json(response, 200, { Warnings: null })],
  ['POST', /^\/containers\/[^/]+\/(stop|restart|kill|pause|unpause|rename|resize)$/, acknowledge],
  ['DELETE', /^\/containers\/[^/]+$/, acknowledge],
  ['POST', /^\/containers\/[^/]+\/exec$/, ({ response }) => json(response, 201, { Id: 'e'.repeat(64) })],
  [
    'GET',
    /^\/exec\/[^/]+\/json$/,
    ({ response, options }) => json(response, 200, { ID: 'e'.repeat(64), Running: false, ExitCode: options.exitCode ?? 0 }),
  ],
  ['POST', /^\/exec\/[^/]+\/start$/, ({ response }) => json(response, 200, {})],
  ['POST', /^\/commit$/, ({ response }) => json(response, 201, { Id: `sha256:${'c'.repeat(64)}` })],
  ['GET', /^\/images\/json$/, ({ query, response }) => json(response, 200, query.has('manifests') ? TREE : FIXTURES['images'])],
  ['GET', /^\/images\/get$/, ({ response }) => response.end('tar bytes')],
  ['POST', /^\/auth$/, login],
  ['GET', /^\/images\/search$/, ({ response }) => json(response, 200, SEARCH)],
  ['POST', /^\/images\/create$/, pull],
  ['POST', /^\/images\/.+\/push$/, push],
  ['POST', /^\/images\/load$/, ({ response }) => stream(response, [{ stream: 'Loaded image: busybox:latest\n' }])],
  ['POST', /^\/images\/prune$/, ({ response }) => json(response, 200, FIXTURES['imagesPruned'])],
  ['GET', /^\/images\/.+\/history$/, ({ response }) => json(response, 200, FIXTURES['history'])],
  ['GET', /^\/images\/busybox(:latest)?\/json$/, ({ response }) => json(response, 200, FIXTURES['imageInspect'])],
  ['GET', /^\/images\/.+\/json$/, ({ response, path }) => json(response, 404, { message: `No such image: ${path.slice(8, -5)}` })],
  ['POST', /^\/images\/.+\/tag$/, ({ response }) => response.writeHead(201).end()],
  [
    'DELETE',
    /^\/images\/.+$/,
    ({ response }) => json(response, 200, [{ Untagged: 'busybox:latest' }, { Deleted: `sha256:${'d'.repeat(64)}` }]),
  ],
  ['GET', /^\/volumes$/, ({ response }) => json(response, 200, { Volumes: FIXTURES['volumes'], Warnings: null })],
  ['POST', /^\/volumes\/create$/, ({ response }) => json(response, 201, FIXTURES['volumes'][0])],
  ['POST', /^\/volumes\/prune$/, ({ response }) => json(response, 200, { VolumesDeleted: ['data'], SpaceReclaimed: 4096 })],
  ['GET', /^\/volumes\/data$/, ({ response }) => json(response, 200, FIXTURES['volumes'][0])],
  ['GET', /^\/volumes\/[^/]+$/, ({ response, path }) => json(response, 404, { message: `get ${path.slice(9)}: no such volume` })],
  ['DELETE', /^\/volumes\/[^/]+$/, acknowledge],
  ['GET', /^\/networks$/, ({ response }) => json(response, 200, FIXTURES['networks'])],
  ['POST', /^\/networks\/create$/, createNetwork],
  ['POST', /^\/networks\/echo\/(connect|disconnect)$/, echo],
  ['POST', /^\/networks\/[^/]+\/(connect|disconnect)$/, ({ response }) => response.writeHead(200).end()],
  ['POST', /^\/networks\/prune$/, ({ response }) => json(response, 200, { NetworksDeleted: ['old'] })],
  ['GET', /^\/networks\/bridge$/, ({ response }) => json(response, 200, FIXTURES['networks'][0])],
  ['GET', /^\/networks\/[^/]+$/, ({ response, path }) => json(response, 404, { message: `network ${path.slice(10)} not found` })],
  [
    'DELETE',
    /^\/networks\/[^/]+$/,
    ({ response, path }) => {
      const name = path.slice(10)
      if (name === 'nosuch') json(response, 404, { message: `network ${name} not found` })
      else if (name === 'bridge') json(response, 403, { message: `${name} is a pre-defined network and cannot be removed` })
      else response.writeHead(204).end()
    },
  ],
]

/** Shows what a client asks for in the one way that every client prints: as an error. An empty member says what none says. */
function echo({ body, response }: Request): void {
  json(response, 400, { message: JSON.stringify(comparable(JSON.parse(body.toString()))) })
}

function createNetwork(request: Request): void {
  const { Name } = JSON.parse(request.body.toString()) as { Name: string }
  if (Name === 'echo') return echo(request)
  if (Name === 'bridge') return json(request.response, 403, { message: 'operation is not permitted on predefined bridge network ' })
  json(request.response, 201, { Id: 'f'.repeat(64), Warning: '' })
}

/** Members in the order of their names, at every depth; the empty ones left out. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).map(([key, member]) => [key, comparable(member)] as const)
  return Object.fromEntries(members.filter(([, member]) => !isEmpty(member)).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function isEmpty(value: unknown): boolean {
  return value === null || value === '' || value === 0 || (typeof value === 'object' && Object.keys(value).length === 0)
}

function ping(response: ServerResponse, body?: string): void {
  response.setHeader('Builder-Version', '2')
  response.setHeader('Swarm', 'inactive')
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(body)
}

function acknowledge({ path, response }: Request): void {
  const name = path.split('/')[2]
  if (name?.startsWith('nosuch') === true) return json(response, 404, { message: `No such container: ${name}` })
  response.writeHead(204).end()
}

function listContainers({ query, response }: Request): void {
  const all = query.has('all') && query.get('all') !== '0'
  const limit = Number(query.get('limit') ?? '-1')
  const shown = FIXTURES['containers'].filter((container: any) => all || limit > 0 || container.State === 'running')
  const sized = shown.map((container: any) =>
    query.get('size') === '1' ? { ...container, SizeRw: 12345, SizeRootFs: 4567890 } : container,
  )
  json(response, 200, limit > 0 ? sized.slice(0, limit) : sized)
}

function inspect({ path, response }: Request): void {
  const name = path.split('/')[2] ?? ''
  const known: Record<string, object> = { web: FIXTURES['inspect'], job: FIXTURES['inspectStopped'] }
  const found =
    known[name] ??
    (RUNNING_ID.startsWith(name) ? FIXTURES['inspect'] : STOPPED_ID.startsWith(name) ? FIXTURES['inspectStopped'] : undefined)
  if (found === undefined) json(response, 404, { message: `No such container: ${name}` })
  else json(response, 200, found)
}

function create({ response, options }: Request): void {
  if (options.missingImage === true) json(response, 404, { message: 'No such image: nosuch:latest' })
  else json(response, 201, { Id: RUNNING_ID, Warnings: [] })
}

/** The password `wrong` is refused; a user `token` gets an identity token. */
function login({ body, response }: Request): void {
  const { username, password } = JSON.parse(body.toString()) as { username?: string; password?: string }
  if (password === 'wrong')
    return json(response, 401, { message: 'Get "https://registry.example/v2/": unauthorized: incorrect username or password' })
  json(response, 200, { IdentityToken: username === 'token' ? 'identity' : '', Status: 'Login Succeeded' })
}

/** `nosuch` is not there, `late` breaks off, everything else comes. Repositories with `private` want a login. */
function pull({ query, response, options }: Request): void {
  if (options.missingImage === true) return json(response, 501, { message: 'pull is not implemented' })
  const name = query.get('fromImage') ?? ''
  const tag = query.get('tag') ?? ''
  if (name.includes('nosuch'))
    return json(response, 404, { message: `pull access denied for ${name}, repository does not exist or may require 'docker login'` })
  if (name.includes('private')) return json(response, 401, { message: 'unauthorized: authentication required' })
  const error = { errorDetail: { message: 'connection broken' }, error: 'connection broken' }
  stream(response, [
    ...pullMessages(tag),
    ...(name.includes('late') ? [error] : [{ status: `Status: Downloaded newer image for ${name}:${tag}` }]),
  ])
}

function push({ path, query, response }: Request): void {
  if (path.includes('nosuch')) return json(response, 404, { message: `An image does not exist locally with the tag: nosuch` })
  if (path.includes('private')) return json(response, 401, { message: 'unauthorized: authentication required' })
  stream(response, pushMessages(query.get('tag') ?? 'latest', path.includes('stripped')))
}

function start({ path, response, options }: Request): void {
  if (options.startError !== undefined) json(response, options.startError.status, { message: options.startError.message })
  else acknowledge({ path, response } as Request)
}

function wait({ path, response, options }: Request): void {
  if (path.includes('/nosuch')) return json(response, 404, { message: `No such container: ${path.split('/')[2]}` })
  response.writeHead(200, { 'Content-Type': 'application/json' })
  response.flushHeaders()
  // Long enough for start to come after it, as with a real container.
  setTimeout(() => response.end(`${JSON.stringify({ StatusCode: options.exitCode ?? 0 })}\n`), 50)
}

function logs({ path, response, options }: Request): void {
  if (path.includes('/nosuch')) return json(response, 404, { message: `No such container: ${path.split('/')[2]}` })
  const mediaType = options.apiVersion === '1.41' ? 'raw' : 'multiplexed'
  response.writeHead(200, { 'Content-Type': `application/vnd.docker.${mediaType}-stream` })
  for (const [id, text] of options.output ?? []) response.write(frame(id, text))
  response.end()
}

function hijack(engine: FakeEngine, options: FakeEngineOptions, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const url = new URL(request.url ?? '/', 'http://engine')
  engine.requests.push(`${request.method} ${url.pathname.replace(/^\/v[\d.]+/, '')}${url.search}`)
  void head
  socket.on('error', () => {}).on('data', () => {})
  socket.write(
    'HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nApi-Version: 1.50\r\n\r\n',
  )
  for (const [id, text] of options.output ?? []) socket.write(frame(id, text))
  setTimeout(() => socket.end(), 30)
}

function frame(id: 1 | 2, text: string | Buffer): Buffer {
  const payload = Buffer.from(text)
  const header = Buffer.alloc(8)
  header[0] = id
  header.writeUInt32BE(payload.length, 4)
  return Buffer.concat([header, payload])
}

function json(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(value)}\n`)
}

function stream(response: ServerResponse, values: readonly unknown[]): void {
  response.writeHead(200, { 'Content-Type': 'application/json' })
  for (const value of values) response.write(`${JSON.stringify(value)}\r\n`)
  response.end()
}
