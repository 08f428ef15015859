/** What clients without BuildKit are told of a build, with and without `-q`. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

function build(name: string, dockerfile: string, args: readonly string[] = ['-q']): ReturnType<Engine['docker']> {
  const directory = join(engine.directory, name)
  mkdirSync(directory)
  writeFileSync(join(directory, 'Dockerfile'), dockerfile)
  return engine.docker(['build', ...args, '-t', name, directory], { env: { DOCKER_BUILDKIT: '0' } })
}

test('a build that goes well tells its id only', () => {
  const { status, stdout } = build('well', 'FROM starter\nRUN echo loud\n')
  assert.deepEqual([status, stdout.trim()], [0, engine.mustDocker('inspect', '-f', '{{.Id}}', 'well')])
})

test('a build that fails tells what it did', () => {
  const { status, stdout, stderr } = build('badly', 'FROM starter\nRUN echo the reason && exit 3\n')
  assert.deepEqual([status, stdout], [3, ''])
  assert.match(stderr, /Step 2\/2 : RUN echo the reason && exit 3\n ---> Running in [0-9a-f]{12}\nthe reason\n/)
  assert.match(stderr, /returned a non-zero code: 3\n$/)
})

test('a step that cannot begin is named all the same', () => {
  const { status, stderr } = build('missing', 'FROM starter\nCOPY nowhere /\n')
  assert.equal(status, 1)
  assert.match(stderr, /Step 2\/2 : COPY nowhere \/\n[^]*"\/nowhere": not found\n$/)
})

test('arguments that nothing takes are told of', () => {
  const { stdout } = build('unused', 'FROM starter\nARG USED\n', ['--build-arg', 'USED=1', '--build-arg', 'UNSUED=1'])
  assert.match(stdout, /\n\[Warning\] One or more build-args \[UNSUED\] were not consumed\nSuccessfully built /)
})

test('what has been built before comes from the cache, config included', () => {
  const dockerfile = 'FROM starter AS base\nENV A=b\nONBUILD RUN true\nFROM base\nCOPY Dockerfile /\nCMD ["x"]\n'
  const first = build('first', dockerfile, [])
  assert.match(
    first.stdout,
    /Step 4\/6 : FROM base\n# Executing 1 build trigger\n ---> Running in \w+\n ---> Removed intermediate container /,
  )
  const second = build('second', dockerfile, [])
  assert.equal(second.stdout.match(/^ ---> Using cache$/gm)?.length, 5, second.stdout)
})

test('a Dockerfile from standard input is built with the context beside it', () => {
  const directory = join(engine.directory, 'piped')
  mkdirSync(directory)
  writeFileSync(join(directory, 'file'), 'in the context\n')
  const input = 'FROM starter\nCOPY file /\nRUN cat /file\n'
  const { status, stdout } = engine.docker(['build', '-f', '-', directory], { env: { DOCKER_BUILDKIT: '0' }, input })
  assert.equal(status, 0)
  assert.match(stdout, /\nin the context\n/)
})

test('a base that is not there is an error in the stream, a Dockerfile that cannot be read one with a status', async () => {
  const post = async (dockerfile: string): ReturnType<Engine['request']> =>
    await engine.request('POST', '/build', dockerfile, { 'Content-Type': 'application/x-tar' })
  const missing = await post('FROM localhost:1/nothing\nRUN true\n')
  assert.equal(missing.status, 200)
  assert.match(missing.text, /^\{"stream":"Step 1\/2 : FROM localhost:1\/nothing"\}[^]*"errorDetail":\{[^]*connection refused/)
  const unread = await post('FROM starter\nNOPE\n')
  assert.deepEqual([unread.status, /unknown instruction: NOPE/.test(unread.text)], [400, true])
})
