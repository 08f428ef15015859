/** The reader of logs against the writer in C: rotation under a follower, nothing lost, nothing doubled. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'

const engine = await Engine.start()
after(() => engine[Symbol.asyncDispose]())
before(() => engine.loadStarter())

const LINES = 9000
/** The first line tells a follower that it is there; the others come when it has seen it. */
const BEGIN = 'echo "line 0"; until [ -e /go ]; do sleep 0.05; done; i=1'
/** More than 100 files of 16 KiB, in bursts; a follower may fall behind by half of what is written. */
const WRITER = `${BEGIN}; while [ $i -lt ${LINES} ]; do echo "line $i $(printf %0200d 0)"; i=$((i+1)); [ $((i % 50)) -eq 0 ] && sleep 0.01; done`

const numbers = (output: string): number[] =>
  output
    .trim()
    .split('\n')
    .map((line) => Number(line.split(' ')[1]))

/** All that a follower of a log is told, which is there before the second line is written. */
async function follow(name: string): Promise<string> {
  const follower = spawn('docker', ['logs', '-f', name], { env: { ...process.env, DOCKER_HOST: `unix://${engine.socket}` } })
  let output = ''
  follower.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  const closed = once(follower, 'close')
  await once(follower.stdout, 'data')
  engine.mustDocker('exec', name, 'touch', '/go')
  await closed
  return output
}

test('a follower sees every line over many rotations', async () => {
  engine.mustDocker(
    'run',
    '-d',
    '--name',
    'rotating',
    '--log-opt',
    'max-size=16k',
    '--log-opt',
    'max-file=80',
    'starter',
    'sh',
    '-c',
    WRITER,
  )
  const output = await follow('rotating')
  assert.deepEqual(
    numbers(output),
    Array.from({ length: LINES }, (_, index) => index),
  )
})

test('what is kept reads back in order, and tail counts over files', () => {
  const kept = numbers(engine.mustDocker('logs', 'rotating'))
  assert.ok(kept.length > 1000 && kept.length < LINES)
  assert.deepEqual(
    kept,
    Array.from({ length: kept.length }, (_, index) => LINES - kept.length + index),
  )
  const tail = numbers(engine.mustDocker('logs', '--tail', '150', 'rotating'))
  assert.deepEqual([tail[0], tail.length], [LINES - 150, 150])
})

test('one file in all is begun anew, and a follower goes on', async () => {
  const script = `${BEGIN}; while [ $i -lt 400 ]; do echo "line $i $(printf %0200d 0)"; i=$((i+1)); sleep 0.005; done`
  engine.mustDocker('run', '-d', '--name', 'single', '--log-opt', 'max-size=16k', '--log-opt', 'max-file=1', 'starter', 'sh', '-c', script)
  const output = await follow('single')
  const seen = numbers(output)
  // The writer cuts the only file, and with it what a follower has not read yet: on a busy machine some lines are missing, as with Docker. None
  // may come twice or out of order, and the follower has to find its way into each new beginning.
  assert.deepEqual(
    seen,
    [...new Set(seen)].toSorted((a, b) => a - b),
  )
  assert.equal(seen.at(-1), 399)
  assert.ok(seen.length > 80, `${seen.length} of 400 lines`)
})
