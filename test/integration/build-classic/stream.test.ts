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
