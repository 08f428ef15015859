import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findPlugin, pluginNames, type PluginDirectories } from './find-plugins.ts'

function directories(t: TestContext): PluginDirectories & { root: string } {
  const root = mkdtempSync(join(tmpdir(), 'gantry-plugins-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const name of ['run', 'etc']) mkdirSync(join(root, name))
  return { root, sockets: [join(root, 'run')], specs: [join(root, 'etc'), join(root, 'none')] }
}

test('findPlugin takes a socket before a file, each also in a folder of its name', async (t) => {
  const where = directories(t)
  mkdirSync(join(where.root, 'run/deep'))
  const server = createServer()
  server.listen(join(where.root, 'run/deep/deep.sock'))
  await once(server, 'listening')
  t.after(() => server.close())
  writeFileSync(join(where.root, 'etc/deep.spec'), 'tcp://10.0.0.1:80')
  writeFileSync(join(where.root, 'etc/flat.spec'), ' unix:///srv/flat.sock\n')
  writeFileSync(join(where.root, 'run/nosocket.sock'), '')
  assert.deepEqual(findPlugin(where, 'deep'), { name: 'deep', address: `unix://${where.root}/run/deep/deep.sock` })
  assert.deepEqual(findPlugin(where, 'flat'), { name: 'flat', address: 'unix:///srv/flat.sock' })
  assert.equal(findPlugin(where, 'nosocket'), undefined)
  assert.deepEqual(pluginNames(where), ['deep', 'flat', 'nosocket'])
})

test('findPlugin and pluginNames leave out a plugin that calls itself local', (t) => {
  const where = directories(t)
  writeFileSync(join(where.root, 'etc/local.spec'), 'unix:///srv/local.sock')
  assert.equal(findPlugin(where, 'local'), undefined)
  assert.deepEqual(pluginNames(where), [])
})

test('findPlugin reads TLS settings, and verifies nobody without an authority', (t) => {
  const where = directories(t)
  const tls = { CAFile: '/ca.pem', CertFile: '/cert.pem', KeyFile: '/key.pem' }
  writeFileSync(join(where.root, 'etc/safe.json'), JSON.stringify({ Name: 'safe', Addr: 'https://plugin:9000', TLSConfig: tls }))
  writeFileSync(join(where.root, 'etc/open.json'), JSON.stringify({ Addr: 'https://plugin:9000', TLSConfig: {} }))
  assert.deepEqual(findPlugin(where, 'safe')?.tls, { verify: true, ca: '/ca.pem', cert: '/cert.pem', key: '/key.pem' })
  assert.equal(findPlugin(where, 'open')?.tls?.verify, false)
})

test('findPlugin refuses addresses that are none, and names that are paths', (t) => {
  const where = directories(t)
  writeFileSync(join(where.root, 'etc/odd.spec'), 'somewhere')
  writeFileSync(join(where.root, 'secret.spec'), 'unix:///x.sock')
  assert.throws(() => findPlugin(where, 'odd'), { message: 'Unknown protocol' })
  assert.equal(findPlugin(where, '../secret'), undefined)
})
