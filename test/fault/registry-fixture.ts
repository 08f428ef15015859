import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DockerRegistry, Engine, eventually, FaultProxy, type FaultRule } from '../harness/index.ts'

/** A daemon, a registry, and between them a proxy that makes things go wrong. */
export interface RegistryFixture extends AsyncDisposable {
  engine: Engine
  registry: DockerRegistry
  /** With bearer tokens. */
  proxy: FaultProxy
  /** The same registry under another name, without faults and tokens: what comes from here is not known to be there. */
  plain: FaultProxy
}

/** Blobs are tried twice, so that a fault which stays costs half a second. */
export async function startRegistryFixture(): Promise<RegistryFixture> {
  await using undo = new AsyncDisposableStack()
  const registry = undo.use(await DockerRegistry.start())
  const engine = undo.use(await Engine.start({ flags: ['--max-download-attempts', '2'] }))
  const proxy = undo.use(await FaultProxy.start(registry.domain, { host: engine.host, tokens: true }))
  const plain = undo.use(await FaultProxy.start(registry.domain, { host: engine.host }))
  const held = undo.move()
  return { engine, registry, proxy, plain, [Symbol.asyncDispose]: () => held.disposeAsync() }
}

/** The error of a pull or push, from the status or from the stream; undefined when it succeeded. */
async function transfer(engine: Engine, path: string): Promise<string | undefined> {
  const auth = Buffer.from(JSON.stringify({ username: 'me', password: 'secret' })).toString('base64url')
  const reply = await engine.request('POST', path, undefined, { 'X-Registry-Auth': auth })
  if (reply.status !== 200) return String(reply.json?.message ?? reply.text)
  const lines = reply.text.split('\n').filter((line) => line.trim() !== '')
  return lines.map((line) => (JSON.parse(line) as { error?: string }).error).find((error) => error !== undefined)
}

export function pull(engine: Engine, domain: string, repository: string): Promise<string | undefined> {
  return transfer(engine, `/images/create?fromImage=${encodeURIComponent(`${domain}/${repository}`)}&tag=1`)
}

export function push(engine: Engine, domain: string, repository: string): Promise<string | undefined> {
  return transfer(engine, `/images/${domain}/${repository}/push?tag=1`)
}

/**
 * Runs `work` with a fault, then without: it must fail as expected (undefined: it gets over it), succeed then, and leave nothing half done.
 */
export async function survives(
  { engine, proxy }: RegistryFixture,
  rules: FaultRule[],
  expected: RegExp | undefined,
  work: () => Promise<string | undefined>,
): Promise<void> {
  proxy.reset()
  proxy.rules = rules
  const error = await work()
  const hit = rules.every(({ method, path }) => proxy.seen.some((seen) => path.test(seen.path) && (method ?? seen.method) === seen.method))
  assert.ok(hit, `the fault was never met: ${proxy.seen.map(({ method, path }) => `${method} ${path}`).join(', ')}`)
  if (expected === undefined) assert.equal(error, undefined)
  else assert.match(error ?? 'no error', expected)
  await assertNoLeftovers(engine)
  proxy.reset()
  if (expected !== undefined) assert.equal(await work(), undefined, 'the next attempt succeeds')
  await assertNoLeftovers(engine)
}

/** Half blobs: none stays. The layers beside the one that failed are given up then, and need a moment for it. */
async function assertNoLeftovers(engine: Engine): Promise<void> {
  const ingests = join(engine.dataRoot, 'content', 'ingest')
  await eventually(() => assert.deepEqual(readdirSync(ingests), []))
}

/** Throws when the store is not whole. */
export async function checkStore(engine: Engine): Promise<void> {
  const reply = await engine.request('POST', '/gantry/fsck')
  assert.equal(reply.status, 200, reply.text)
  const lines = reply.text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  assert.deepEqual(
    lines.filter((line) => line['finding'] !== undefined),
    [],
    reply.text,
  )
}
