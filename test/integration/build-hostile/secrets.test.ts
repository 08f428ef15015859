/** What a build was given in secret is in none of its results: the whole store is searched for it afterwards. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine } from '../../harness/index.ts'

const SECRET = 'hunter2-7f3c91aa-do-not-keep'

let engine: Engine
let context: string

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
  context = join(engine.directory, 'context')
  mkdirSync(context)
})
after(() => engine?.[Symbol.asyncDispose]())

/** Files of the engine that hold the secret. */
function traces(): string[] {
  const found = spawnSync('grep', ['-rlaF', SECRET, engine.dataRoot, engine.execRoot], { encoding: 'utf8' })
  return found.stdout.split('\n').filter((line) => line !== '')
}

const DOCKERFILE = `
FROM starter
RUN --mount=type=secret,id=file wc -c < /run/secrets/file > /length
RUN --mount=type=secret,id=file,target=/etc/own,mode=0440,uid=7,gid=8 stat -c '%a %u %g' /etc/own > /modes
RUN --mount=type=secret,id=env,env=TOKEN sh -c 'echo -n "$TOKEN" | wc -c' > /env-length
RUN --mount=type=secret,id=absent sh -c 'test ! -e /run/secrets/absent'
RUN test ! -e /run/secrets/file && test ! -e /etc/own && test -z "$TOKEN"
CMD ["cat", "/length", "/modes", "/env-length"]
`

test('a secret reaches its step and nothing else', async () => {
  writeFileSync(join(context, 'Dockerfile'), DOCKERFILE)
  const built = engine.gantry(
    ['build', '-t', 'secretive', '--secret', 'id=file,env=THE_SECRET', '--secret', 'id=env,env=THE_SECRET', context],
    {
      env: { THE_SECRET: SECRET },
    },
  )
  assert.equal(built.status, 0, built.stderr)
  assert.ok(!built.stderr.includes(SECRET))
  assert.equal(engine.mustDocker('run', '--rm', 'secretive'), `${SECRET.length}\n440 7 8\n${SECRET.length}`)
  assert.ok(!engine.mustDocker('history', '--no-trunc', 'secretive').includes(SECRET))
  assert.ok(!engine.mustDocker('inspect', 'secretive').includes(SECRET))
  assert.ok(!engine.log.includes(SECRET))
  // What SQLite has in its log is written to the file in time.
  await sleep(100)
  assert.deepEqual(traces(), [])
})

test('a build that fails with a secret keeps nothing of it, and one that needs another says so', () => {
  writeFileSync(join(context, 'Dockerfile'), 'FROM starter\nRUN --mount=type=secret,id=file cat /run/secrets/file > /dev/null && exit 3\n')
  const failed = engine.gantry(['build', '--secret', 'id=file,env=THE_SECRET', context], { env: { THE_SECRET: SECRET } })
  assert.equal(failed.status, 1)
  assert.match(failed.stderr, /exit code: 3/)
  writeFileSync(join(context, 'Dockerfile'), 'FROM starter\nRUN --mount=type=secret,id=other,required=true true\n')
  const missing = engine.gantry(['build', context])
  assert.match(missing.stderr, /secret other: not found/)
  assert.deepEqual(traces(), [])
})

test('a secret that changes does not make its step run again, as its value counts nowhere', () => {
  writeFileSync(
    join(context, 'Dockerfile'),
    'FROM starter\nRUN --mount=type=secret,id=file cat /proc/sys/kernel/random/uuid > /id\nCMD ["cat", "/id"]\n',
  )
  const build = (value: string): string => {
    const built = engine.gantry(['build', '-t', 'counted', '--secret', 'id=file,env=THE_SECRET', context], { env: { THE_SECRET: value } })
    assert.equal(built.status, 0, built.stderr)
    return engine.mustDocker('run', '--rm', 'counted')
  }
  assert.equal(build(SECRET), build(`${SECRET}-changed`))
})
