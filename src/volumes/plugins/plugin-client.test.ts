import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { PluginClient } from './plugin-client.ts'

test('call fails at once when the plugin answers with a change of protocol', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'gantry-plugins-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  const socket = join(root, 'odd.sock')
  const server = createServer((connection) => {
    connection.on('error', () => undefined)
    connection.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: odd\r\n\r\n')
  })
  t.after(() => server.close())
  await once(server.listen(socket), 'listening')
  const client = new PluginClient({ name: 'odd', address: `unix://${socket}` })
  await assert.rejects(client.call('VolumeDriver.List', {}, { timeout: 5000, patient: false }), /connection closed without an answer/)
})
