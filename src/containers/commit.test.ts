import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '#errors'
import type { ImageService } from '#images'
import { commitContainer } from './commit.ts'
import type { Context } from './context.ts'
import { mergeConfig } from './merge-config.ts'
import type { CommitRequest, Container, ContainerState } from './types.ts'

type CommitOptions = Parameters<ImageService['commit']>[0]

const REQUEST: CommitRequest = { repo: 'new', tag: 'v1', comment: 'why', author: 'me', pause: true, changes: ['EXPOSE 80'] }
const startedAt = '2024-05-06T07:00:00Z'

const EXITED: ContainerState = { status: 'exited', startedAt, finishedAt: startedAt, exitCode: 0, oomKilled: false, error: '' }

/** A context with one container; notes what is frozen, thawed, committed and published, in order. */
function makeContext(state: ContainerState) {
  const config = mergeConfig(
    { cmd: ['sleep', '9'], env: ['A=1'], labels: { l: '1' }, volumes: ['/v'], stopSignal: 'SIGINT', user: 'web' },
    undefined,
  )
  const entry = {
    id: 'abc',
    record: { id: 'abc', name: 'web', imageId: 'sha256:base', state, config, hostConfig: { cgroupParent: '' } } as unknown as Container,
    mutex: { lock: async () => ({ [Symbol.dispose]: () => undefined }) },
  }
  const log: string[] = []
  const commits: CommitOptions[] = []
  const ctx = {
    store: {
      find: () => entry,
      save: (_entry: unknown, change: Partial<Container>) => (entry.record = { ...entry.record, ...change }),
    },
    deps: {
      cgroups: { version: 2, root: '/none' },
      cgroupControl: { freeze: async () => void log.push('freeze'), thaw: () => log.push('thaw') },
      defaults: () => ({ cgroupParent: '/gantry' }),
      events: {
        publish: (_type: string, action: string, _id: string, attributes: Record<string, string>) =>
          log.push(`${action} ${attributes['imageRef'] ?? ''}`),
      },
      images: {
        async commit(options: CommitOptions) {
          log.push('commit')
          commits.push(options)
          return { id: 'sha256:new', repoTags: ['new:v1'] }
        },
      },
    },
  } as unknown as Context
  return { ctx, log, commits }
}

test('commitContainer freezes a running container meanwhile', async () => {
  const { ctx, log } = makeContext({ status: 'running', pid: 1, startedAt })
  assert.deepEqual(await commitContainer(ctx, 'web', REQUEST), { id: 'sha256:new' })
  assert.deepEqual(log, ['freeze', 'pause ', 'commit', 'thaw', 'unpause ', 'commit new:v1'])
})

test('commitContainer keeps what a container has left that ends before it is frozen, or is removed meanwhile', async () => {
  const ended = makeContext({ status: 'running', pid: 1, startedAt })
  ended.ctx.deps.cgroupControl.freeze = () => Promise.reject(notFound('the control group is gone'))
  assert.deepEqual(await commitContainer(ended.ctx, 'web', REQUEST), { id: 'sha256:new' })
  assert.deepEqual(ended.log, ['commit', 'commit new:v1'])
  const killed = makeContext({ status: 'running', pid: 1, startedAt })
  const { commit } = killed.ctx.deps.images
  killed.ctx.deps.images.commit = async (options) => {
    const entry = killed.ctx.store.find('web')
    killed.ctx.store.save(entry, { state: { ...EXITED } })
    return await commit(options)
  }
  assert.deepEqual(await commitContainer(killed.ctx, 'web', REQUEST), { id: 'sha256:new' })
  assert.deepEqual(killed.log, ['freeze', 'pause ', 'commit', 'commit new:v1'])
})

test('commitContainer leaves alone what does not run, or is not to be frozen', async () => {
  const stopped = makeContext({ status: 'created' })
  await commitContainer(stopped.ctx, 'web', REQUEST)
  const unasked = makeContext({ status: 'running', pid: 1, startedAt })
  await commitContainer(unasked.ctx, 'web', { ...REQUEST, pause: false })
  for (const { log } of [stopped, unasked]) assert.deepEqual(log, ['commit', 'commit new:v1'])
})

test("commitContainer keeps the container's settings", async () => {
  const { ctx, commits } = makeContext({ status: 'created' })
  await commitContainer(ctx, 'web', REQUEST)
  const [commit] = commits
  assert.deepEqual([commit?.key, commit?.parent, commit?.createdBy, commit?.changes], ['abc', 'sha256:base', 'sleep 9', ['EXPOSE 80']])
  assert.deepEqual(commit?.config, {
    User: 'web',
    ExposedPorts: null,
    Env: ['A=1'],
    Entrypoint: null,
    Cmd: ['sleep', '9'],
    Volumes: { '/v': {} },
    WorkingDir: '',
    Labels: { l: '1' },
    OnBuild: null,
    StopSignal: 'SIGINT',
  })
})

test("commitContainer puts the container's settings under those of the request", async () => {
  const { ctx, commits } = makeContext({ status: 'created' })
  const config = { Cmd: ['sh'], Env: ['B=2', 'A=3'], ExposedPorts: { '80/tcp': {} }, Healthcheck: { Test: ['NONE'] }, StopTimeout: 3 }
  await commitContainer(ctx, 'web', { ...REQUEST, config })
  const committed = commits[0]?.config
  assert.deepEqual([committed?.Cmd, committed?.Env, committed?.User, committed?.Labels], [['sh'], ['B=2', 'A=3'], 'web', { l: '1' }])
  assert.deepEqual([committed?.ExposedPorts, committed?.Volumes, committed?.StopTimeout], [{ '80/tcp': {} }, { '/v': {} }, 3])
  assert.deepEqual(committed?.Healthcheck?.Test, ['NONE'])
})

test('commitContainer refuses a container on its way out', async () => {
  const ended = { startedAt, finishedAt: startedAt, exitCode: 0, oomKilled: false, error: '' }
  await assert.rejects(commitContainer(makeContext({ status: 'dead', ...ended }).ctx, 'web', REQUEST), {
    code: 'CONFLICT',
    message: 'You cannot commit container abc which is Dead',
  })
  await assert.rejects(commitContainer(makeContext({ status: 'removing', ...ended }).ctx, 'web', REQUEST), /which is being removed/)
})
