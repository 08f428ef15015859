import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { addHosts, removeHosts } from './live-hosts.ts'

/** A hosts file with `text`, and a reader. */
function hostsFile(text: string): Disposable & { path: string; directory: string; read(): string } {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-hosts-'))
  const path = join(directory, 'hosts')
  writeFileSync(path, text)
  return { path, directory, read: () => readFileSync(path, 'utf8'), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

it('addHosts and removeHosts leave what the container wrote', () => {
  using file = hostsFile('127.0.0.1\tlocalhost\n172.17.0.2\tweb\n10.0.0.1 mine # a comment')
  addHosts(file.path, ['172.18.0.2\tweb', '172.17.0.2\tweb'])
  assert.equal(file.read(), '127.0.0.1\tlocalhost\n172.17.0.2\tweb\n10.0.0.1 mine # a comment\n172.18.0.2\tweb\n')
  removeHosts(file.path, ['172.17.0.2\tweb'])
  assert.equal(file.read(), '127.0.0.1\tlocalhost\n10.0.0.1 mine # a comment\n172.18.0.2\tweb\n')
})

it('addHosts leaves a file alone that is gone, a link, or filled by the container', () => {
  using file = hostsFile('x'.repeat(2 << 20))
  addHosts(file.path, ['172.18.0.2\tweb'])
  assert.equal(file.read().length, 2 << 20)
  symlinkSync('hosts', join(file.directory, 'link'))
  addHosts(join(file.directory, 'link'), ['172.18.0.2\tweb'])
  addHosts(join(file.directory, 'none'), ['172.18.0.2\tweb'])
  assert.equal(file.read().length, 2 << 20)
})
