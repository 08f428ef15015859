/**
 * Eight clients do what they like with the same few containers, networks, volumes and images, two of them often the same thing at the same time. Every answer
 * has to be one that Docker gives, too; afterwards nothing may be left over or doubled, and the store is whole.
 * `GANTRY_TEST_SEED` makes another run of it.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { Engine, eventually, type Reply } from '../harness/index.ts'
import { tar } from '../harness/tar.ts'

const CLIENTS = 8
const TURNS = 100
const SEED = Number(process.env['GANTRY_TEST_SEED'] ?? 1)

interface Operation {
  /** What it may answer with; 400 where a network came into being only after a container was put on it that cannot be on it. */
  statuses: readonly number[]
  run(engine: Engine, some: Chooser): Promise<Reply>
}

/** Numbers that look random, the same ones for the same seed (mulberry32). */
class Chooser {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }

  container(): string {
    return `c${this.below(4)}`
  }

  network(): string {
    return `n${this.below(2)}`
  }

  volume(): string {
    return `v${this.below(2)}`
  }

  image(): string {
    return `i${this.below(2)}`
  }
}

/** Ends at once, soon, or when it is told to; the last one is started again and again. */
const COMMANDS = ['exit 3', 'sleep 0.05', 'trap "exit 0" TERM; while :; do sleep 0.01; done', 'exec sleep 1000']

const DOCKERFILE = tar([{ name: 'Dockerfile', data: Buffer.from('FROM starter\nRUN echo built > /built\nLABEL built=1\n') }])
const ARCHIVE = tar([{ name: 'copied', data: Buffer.from('copied\n') }])

const OPERATIONS: Record<string, Operation> = {
  create: { statuses: [201, 404, 409], run: (engine, some) => create(engine, some) },
  run: { statuses: [201, 204, 304, 400, 404, 409], run: (engine, some) => run(engine, some) },
  start: { statuses: [204, 304, 400, 404, 409], run: (engine, some) => engine.request('POST', `/containers/${some.container()}/start`) },
  stop: {
    statuses: [204, 304, 404],
    run: (engine, some) => engine.request('POST', `/containers/${some.container()}/stop?t=${some.below(2)}`),
  },
  restart: { statuses: [204, 400, 404, 409], run: (engine, some) => engine.request('POST', `/containers/${some.container()}/restart?t=0`) },
  kill: { statuses: [204, 404, 409], run: (engine, some) => engine.request('POST', `/containers/${some.container()}/kill`) },
  pause: { statuses: [204, 404, 409], run: (engine, some) => engine.request('POST', `/containers/${some.container()}/pause`) },
  unpause: { statuses: [204, 404, 409], run: (engine, some) => engine.request('POST', `/containers/${some.container()}/unpause`) },
  rename: {
    statuses: [204, 400, 404, 409],
    run: (engine, some) => engine.request('POST', `/containers/${some.container()}/rename?name=${some.container()}`),
  },
  update: {
    statuses: [200, 404, 409],
    run: (engine, some) => engine.request('POST', `/containers/${some.container()}/update`, { PidsLimit: 100 + some.below(100) }),
  },
  remove: {
    statuses: [204, 404, 409],
    run: (engine, some) => engine.request('DELETE', `/containers/${some.container()}?force=${some.below(2)}&v=${some.below(2)}`),
  },
  removeByForce: {
    statuses: [204, 404, 409],
    run: (engine, some) => engine.request('DELETE', `/containers/${some.container()}?force=1&v=1`),
  },
  exec: { statuses: [200, 404, 409], run: (engine, some) => exec(engine, some) },
  top: { statuses: [200, 404, 409], run: (engine, some) => engine.request('GET', `/containers/${some.container()}/top`) },
  stats: {
    statuses: [200, 404],
    run: (engine, some) => engine.request('GET', `/containers/${some.container()}/stats?stream=0&one-shot=1`),
  },
  logs: {
    statuses: [200, 400, 404],
    run: (engine, some) => engine.request('GET', `/containers/${some.container()}/logs?stdout=1&stderr=1`),
  },
  inspect: { statuses: [200, 404], run: (engine, some) => engine.request('GET', `/containers/${some.container()}/json?size=1`) },
  list: { statuses: [200], run: (engine) => engine.request('GET', '/containers/json?all=1&size=1') },
  usage: { statuses: [200], run: (engine) => engine.request('GET', '/system/df') },
  changes: { statuses: [200, 404], run: (engine, some) => engine.request('GET', `/containers/${some.container()}/changes`) },
  export: { statuses: [200, 404, 409], run: (engine, some) => engine.request('GET', `/containers/${some.container()}/export`) },
  copyOut: { statuses: [200, 404], run: (engine, some) => engine.request('GET', `/containers/${some.container()}/archive?path=/bin/sh`) },
  copyIn: { statuses: [200, 404], run: (engine, some) => engine.request('PUT', `/containers/${some.container()}/archive?path=/`, ARCHIVE) },
  commit: {
    statuses: [201, 404, 409],
    run: (engine, some) => engine.request('POST', `/commit?container=${some.container()}&repo=${some.image()}&pause=${some.below(2)}`, {}),
  },
  pruneContainers: { statuses: [200, 409], run: (engine) => engine.request('POST', '/containers/prune') },
  createNetwork: { statuses: [201, 409], run: (engine, some) => engine.request('POST', '/networks/create', { Name: some.network() }) },
  removeNetwork: { statuses: [204, 403, 404], run: (engine, some) => engine.request('DELETE', `/networks/${some.network()}`) },
  pruneNetworks: { statuses: [200, 409], run: (engine) => engine.request('POST', '/networks/prune') },
  connect: {
    statuses: [200, 400, 403, 404, 409],
    run: (engine, some) => engine.request('POST', `/networks/${some.network()}/connect`, { Container: some.container() }),
  },
  disconnect: {
    statuses: [200, 403, 404, 409],
    run: (engine, some) => engine.request('POST', `/networks/${some.network()}/disconnect`, { Container: some.container() }),
  },
  listNetworks: { statuses: [200, 404], run: (engine, some) => engine.request('GET', `/networks/${some.network()}?verbose=1`) },
  createVolume: { statuses: [201, 409], run: (engine, some) => engine.request('POST', '/volumes/create', { Name: some.volume() }) },
  removeVolume: { statuses: [204, 404, 409], run: (engine, some) => engine.request('DELETE', `/volumes/${some.volume()}`) },
  pruneVolumes: { statuses: [200, 409], run: (engine) => engine.request('POST', '/volumes/prune') },
  tag: { statuses: [201], run: (engine, some) => engine.request('POST', `/images/starter/tag?repo=${some.image()}`) },
  build: {
    statuses: [200],
    run: (engine, some) =>
      engine.request('POST', `/build?t=${some.image()}&nocache=${some.below(2)}`, DOCKERFILE, { 'Content-Type': 'application/x-tar' }),
  },
  save: { statuses: [200, 404], run: (engine, some) => engine.request('GET', `/images/${some.image()}/get`) },
  removeImage: {
    statuses: [200, 404, 409],
    run: (engine, some) => engine.request('DELETE', `/images/${some.image()}?force=${some.below(2)}`),
  },
  pruneImages: {
    statuses: [200, 409],
    run: (engine) => engine.request('POST', '/images/prune?filters={"dangling":["false"],"label":["built"]}'),
  },
  pruneBuilds: { statuses: [200, 409], run: (engine) => engine.request('POST', '/build/prune?all=1') },
}

function create(engine: Engine, some: Chooser): Promise<Reply> {
  const policy = some.of(['no', 'no', 'always', 'on-failure'])
  return engine.request('POST', `/containers/create?name=${some.container()}`, {
    Image: some.of(['starter', some.image()]),
    Cmd: ['sh', '-c', some.of(COMMANDS)],
    StopSignal: 'SIGTERM',
    HostConfig: {
      NetworkMode: some.of(['none', 'bridge', some.network()]),
      RestartPolicy: { Name: policy },
      AutoRemove: policy === 'no' && some.below(2) === 0,
      Binds: some.of([[], [`${some.volume()}:/volume`], ['/anonymous']]),
    },
  })
}

async function run(engine: Engine, some: Chooser): Promise<Reply> {
  const created = await create(engine, some)
  return created.status === 201 ? await engine.request('POST', `/containers/${created.json.Id}/start`) : created
}

async function exec(engine: Engine, some: Chooser): Promise<Reply> {
  const made = await engine.request('POST', `/containers/${some.container()}/exec`, { Cmd: ['true'] })
  return made.status === 201 ? await engine.request('POST', `/exec/${made.json.Id}/start`, { Detach: true }) : made
}

/** Docker has no class for these errors, which makes them 500. */
const UNCLASSED = /is not connected to (the )?network|is marked for removal and cannot be connected/

function isFine({ statuses }: Operation, { status, text }: Reply): boolean {
  if (text.includes('"errorDetail"')) return false // a build has answered already when it fails
  return statuses.includes(status) || (status === 500 && UNCLASSED.test(text))
}

/** One client's life. What it was answered and should not have been. */
async function client(engine: Engine, number: number): Promise<string[]> {
  const some = new Chooser(SEED * 1000 + number)
  const wrong: string[] = []
  for (let turn = 0; turn < TURNS; turn++) {
    const name = some.of(Object.keys(OPERATIONS))
    const operation = OPERATIONS[name]
    const reply = await operation?.run(engine, some)
    if (operation !== undefined && reply !== undefined && !isFine(operation, reply))
      wrong.push(`${name}: ${reply.status} ${reply.text.slice(0, 300)}`)
  }
  return wrong
}

async function removeEverything(engine: Engine): Promise<void> {
  for (const { Id } of (await engine.request('GET', '/containers/json?all=1')).json as { Id: string }[]) {
    const { status, text } = await engine.request('DELETE', `/containers/${Id}?force=1&v=1`)
    // Gone, or going, by its own --rm.
    if (!text.includes('already in progress')) assert.ok(status === 204 || status === 404, text)
  }
  await eventually(async () => assert.deepEqual((await engine.request('GET', '/containers/json?all=1')).json, []))
}

function assertClean(engine: Engine): void {
  const { status, stdout, stderr } = engine.gantry(['system', 'fsck'])
  assert.equal(status, 0, stdout + stderr)
  assert.match(stdout, /: clean\n$/)
}

function rowsOf(engine: Engine, collection: string): string[] {
  using database = new DatabaseSync(join(engine.dataRoot, 'gantry.db'), { readOnly: true })
  return database
    .prepare(`SELECT key FROM "${collection}"`)
    .all()
    .map(({ key }) => String(key))
}

test('clients that do everything to the same few things at once get answers that Docker gives, and nothing is left over', async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  const wrong = await Promise.all(Array.from({ length: CLIENTS }, (_, number) => client(engine, number)))
  assert.deepEqual(wrong.flat(), [], `seed ${SEED}`)
  assertClean(engine)
  await removeEverything(engine)
  const complaints = engine.log.split('\n').filter((line) => /level=(warning|error)/.test(line) && !UNCLASSED.test(line))
  assert.deepEqual(complaints, [])
  assertClean(engine)
  // The daemon alone may read its database while it runs.
  await engine.stopDaemon()
  for (const collection of ['containers', 'snapshots', 'endpoints'])
    assert.deepEqual(rowsOf(engine, collection), [], `rows of ${collection}`)
  await engine.startDaemon()
})
