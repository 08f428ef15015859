/** docker build over TCP with TLS, where no protocol is agreed on in the handshake: HTTP/2 comes by an upgrade inside. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Engine, ROOT } from '../../harness/index.ts'
import { makeTlsFiles } from '../../harness/tls-files.ts'

const plugin = spawnSync(join(ROOT, 'tools/buildx.sh'), { encoding: 'utf8' })
const directory = mkdtempSync(join(tmpdir(), 'gantry-buildx-tls-'))
after(() => rmSync(directory, { recursive: true, force: true }))

test('docker build works over TCP with TLS', { skip: plugin.status === 0 ? false : plugin.stderr.trim() }, async () => {
  makeTlsFiles(directory)
  const path = (name: string): string => join(directory, name)
  copyFileSync(path('client.pem'), path('cert.pem'))
  copyFileSync(path('client-key.pem'), path('key.pem'))
  mkdirSync(path('config/cli-plugins'), { recursive: true })
  symlinkSync(plugin.stdout.trim(), path('config/cli-plugins/docker-buildx'))
  mkdirSync(path('project'))
  writeFileSync(path('project/Dockerfile'), 'FROM starter\nCOPY file /file\nRUN cat /file\n')
  writeFileSync(path('project/file'), 'over TLS\n')
  const flags = ['--tlsverify', '--tlscacert', path('ca.pem'), '--tlscert', path('server.pem'), '--tlskey', path('server-key.pem')]
  await using engine = await Engine.start({ flags: [...flags, '--host', 'tcp://127.0.0.1:23761'] })
  engine.loadStarter()
  const env = [
    'DOCKER_HOST=tcp://127.0.0.1:23761',
    'DOCKER_TLS_VERIFY=1',
    `DOCKER_CERT_PATH=${directory}`,
    `DOCKER_CONFIG=${path('config')}`,
  ]
  const command = ['env', ...env, 'docker', 'buildx', 'build', '--progress', 'plain', '-t', 'tls', path('project')]
  const { status, stdout, stderr } = engine.host.run(command)
  assert.equal(status, 0, stdout + stderr)
  assert.equal(engine.mustDocker('run', '--rm', 'tls', 'cat', '/file'), 'over TLS')
})
