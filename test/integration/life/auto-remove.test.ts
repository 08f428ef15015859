/** `--rm`: the overlay of such a container is volatile, which must show in nothing but speed. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Engine } from '../../harness/index.ts'

test('a container with --rm can be restarted and keeps its files', async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  engine.mustDocker('run', '-d', '--rm', '--name', 'again', 'starter', 'sleep', '1000')
  engine.mustDocker('exec', 'again', 'touch', '/mark')
  engine.mustDocker('restart', '-t', '0', 'again')
  engine.mustDocker('exec', 'again', 'test', '-e', '/mark')
  engine.mustDocker('stop', '-t', '0', 'again')
  engine.docker(['wait', 'again'])
  assert.equal(engine.docker(['inspect', 'again']).status, 1)
})
