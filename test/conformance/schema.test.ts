/** Live answers against Docker's own description of API 1.51, where that file is at hand. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine, ROOT } from '../harness/index.ts'
import { ApiDocument } from './swagger.ts'

const FILE = join(ROOT, '../shared/docker-api/v1.51.yaml')
const skip = existsSync(FILE) ? false : 'the API file v1.51.yaml is not here'

/** What Docker's own answers do not follow either, or what the file leaves out: each with its reason. */
const KNOWN: readonly RegExp[] = [
  // A *int64 and a *int that are not set; Docker writes null, too.
  /^\.HostConfig\.MemorySwappiness is null$/,
  /^\.ExitCode is null$/,
  // In the answers of every version, in the file from 1.52 on.
  /^\.os_type is not in the schema$/,
  // Doubles of Action and Actor, which clients older than API 1.22 read; sent up to 1.51.
  /^\.(status|id|from) is not in the schema$/,
]

if (skip) test('answers fit the API file', { skip })
else {
  const document = new ApiDocument(FILE)
  const engine = await Engine.start()
  after(() => engine[Symbol.asyncDispose]())
  // In a hook: what throws beside the tests runs no hooks, and the engine would stay.
  before(() => {
    engine.loadStarter()
    engine.mustDocker('volume', 'create', '--label', 'a=b', 'data')
    const options = [
      '--name',
      'web',
      '--label',
      'a=b',
      '-p',
      '8080:80',
      '-v',
      'data:/data',
      '--health-cmd',
      'true',
      '--health-interval',
      '200ms',
      '-m',
      '64m',
    ]
    engine.mustDocker('run', '-d', ...options, '-w', '/tmp', '--hostname', 'webhost', 'starter', 'sleep', '1000')
    engine.docker(['run', '--name', 'done', 'starter', 'sh', '-c', 'echo hi; exit 3'])
    engine.mustDocker('create', '--name', 'new', '--tmpfs', '/t', '--mount', 'type=volume,dst=/anonymous', 'starter')
    engine.mustDocker('exec', '-d', 'web', 'sleep', '999')
  })

  const problems = (method: string, template: string, status: number, body: unknown): string[] =>
    document
      .validate(method, template, status, body)
      .map(({ at, what }) => `${at} ${what}`)
      .filter((problem) => !KNOWN.some((known) => known.test(problem)))
  const call = async (method: string, template: string, path: string, body?: unknown): Promise<any> => {
    const reply = await engine.request(method, `/v1.51${path}`, body)
    assert.deepEqual(problems(method, template, reply.status, reply.json ?? reply.text), [], `${reply.status} ${reply.text.slice(0, 2000)}`)
    return reply.json
  }
  const fits = (method: string, template: string, path: string = template, body?: unknown): void => {
    test(`${method} ${path} fits the API file`, () => call(method, template, path, body))
  }

  for (const name of ['web', 'done', 'new']) fits('GET', '/containers/{id}/json', `/containers/${name}/json`)
  fits('GET', '/containers/{id}/json', '/containers/web/json?size=1')
  fits('GET', '/containers/{id}/json', '/containers/absent/json')
  fits('GET', '/containers/json', '/containers/json?all=1&size=1')
  fits('GET', '/containers/{id}/top', '/containers/web/top')
  fits('GET', '/containers/{id}/stats', '/containers/web/stats?stream=0')
  fits('GET', '/containers/{id}/stats', '/containers/web/stats?stream=0&one-shot=1')
  fits('GET', '/containers/{id}/changes', '/containers/web/changes')
  fits('POST', '/containers/{id}/wait', '/containers/done/wait')
  fits('POST', '/containers/{id}/update', '/containers/web/update', { Memory: 67108864, MemorySwap: 134217728 })
  fits('POST', '/containers/create', '/containers/create', { Image: 'starter', Labels: { made: 'here' } })
  fits('POST', '/containers/create', '/containers/create', { Image: 'absent' })
  fits('POST', '/containers/prune', `/containers/prune?filters=${encodeURIComponent('{"label":["made"]}')}`)
  fits('GET', '/images/json', '/images/json?shared-size=1')
  fits('GET', '/images/{name}/json', '/images/starter/json')
  fits('GET', '/images/{name}/history', '/images/starter/history')
  fits('GET', '/volumes')
  fits('GET', '/volumes/{name}', '/volumes/data')
  fits('POST', '/volumes/create', '/volumes/create', { Name: 'another' })
  fits('GET', '/networks')
  fits('GET', '/networks/{id}', '/networks/bridge')
  fits('GET', '/info')
  fits('GET', '/version')
  fits('GET', '/system/df')

  test('an exec fits the API file', async () => {
    const { Id } = await call('POST', '/containers/{id}/exec', '/containers/web/exec', { Cmd: ['true'], AttachStdout: true })
    await call('GET', '/exec/{id}/json', `/exec/${Id}/json`)
  })

  test('events fit the API file', async () => {
    const { text } = await engine.request('GET', `/v1.51/events?since=0&until=${Math.floor(Date.now() / 1000)}`)
    const events = text.trim().split('\n')
    assert.ok(events.length > 5)
    for (const event of events) assert.deepEqual(problems('GET', '/events', 200, JSON.parse(event)), [], event)
  })
}
