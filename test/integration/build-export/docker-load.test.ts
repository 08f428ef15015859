/** What Debian's dockerd makes of our archives. Needs root, and docker.io. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempDisposableSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { docker } from '../../../bench/peers/docker.ts'
import { Peer } from '../../../bench/peers/peer.ts'
import { openWorld, resultOf, writeTree } from './world.ts'

const skip = process.getuid?.() === 0 ? spawnSync('dockerd', ['--version']).error !== undefined && 'dockerd is not installed' : 'needs root'

test('an archive of the docker exporter is loaded by dockerd', { skip }, async () => {
  await using world = await openWorld()
  using directory = mkdtempDisposableSync(join(tmpdir(), 'build-export-'))
  const chain = await world.step('COPY . .', undefined, (root) => writeTree(root))
  const answers = await world.export('docker', { name: 'app:1' }, resultOf(chain))
  const file = join(directory.path, 'app.tar')
  writeFileSync(file, await world.session.received[0]!.content)
  await using peer = await Peer.start(docker)
  const run = (...args: string[]): string => peer.host.must(['docker', '-H', `unix://${peer.socket}`, ...args]).trim()
  assert.match(run('load', '-i', file), /Loaded image: app:1/)
  assert.equal(run('inspect', '--format', '{{.Id}}', 'app:1'), answers['containerimage.config.digest'])
})
