/** Programs named `docker-<name>` work as commands, as with docker. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gantry, gantryMissing, type Outcome } from './program.ts'

/** Says what it was called with; `fail` ends with a status of its own. */
const PLUGIN = `#!/bin/sh
case $1 in docker-cli-plugin-metadata)
  echo '{"SchemaVersion":"0.1.0","Vendor":"Example Inc.","Version":"v1.2","ShortDescription":"Says hello"}'; exit;;
esac
echo "$*|$DOCKER_CLI_PLUGIN_ORIGINAL_CLI_COMMAND|$(echo "$DOCKER_CLI_PLUGIN_SOCKET" | sed 's/_[0-9a-f]*$/_/')"
case $* in *fail*) exit 17;; esac
`

describe('plugins', { skip: gantryMissing() ?? false }, () => {
  let config: string
  before(() => {
    config = mkdtempSync(join(tmpdir(), 'plugins-'))
    mkdirSync(join(config, 'cli-plugins'))
    for (const [name, text] of [
      ['docker-hello', PLUGIN],
      ['docker-broken', '#!/bin/sh\necho nonsense\n'],
      ['docker-Bad', PLUGIN],
    ] as const) {
      writeFileSync(join(config, 'cli-plugins', name), text)
      chmodSync(join(config, 'cli-plugins', name), 0o755)
    }
  })
  after(() => rmSync(config, { recursive: true }))

  const run = (...args: string[]): Promise<Outcome> =>
    gantry(args, { env: { DOCKER_CONFIG: config, DOCKER_HOST: 'unix:///nonexistent.sock' } })

  it('get the global flags and the whole command line', async () => {
    assert.deepEqual(await run('-H', 'unix:///x', 'hello', '--flag', 'a b'), {
      stdout: '-H unix:///x hello --flag a b|docker|@docker_cli_\n',
      stderr: '',
      status: 0,
    })
  })

  it('end with their own status', async () => {
    assert.equal((await run('hello', 'fail')).status, 17)
  })

  it('are listed in the help with a star, broken ones are not', async () => {
    const { stdout } = await run('--help')
    assert.match(stdout, /^ {2}hello\* {6}Says hello$/m)
    assert.doesNotMatch(stdout, /broken/)
  })

  it('must have a plain name', async () => {
    assert.equal((await run('Bad')).stderr, "docker: unknown command: docker Bad\n\nRun 'docker --help' for more information\n")
  })

  it('show up in info, broken ones with a warning', async () => {
    const { stdout, stderr } = await run('info')
    assert.match(stdout, / hello: Says hello \(Example Inc\.\)\n {4}Version: {2}v1\.2\n/)
    assert.match(stderr, /WARNING: Plugin ".*docker-broken" is not valid: failed to fetch metadata/)
  })
})
