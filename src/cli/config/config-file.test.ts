import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { loadConfigFile } from './config-file.ts'

let directory: string
// In one process with all the others: hooks outside a suite would run for every test there is.
describe('config.json', () => {
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'config-'))))
  afterEach(() => rmSync(directory, { recursive: true }))

  describe('loadConfigFile', () => {
    it('reads nothing from nothing', () => {
      assert.deepEqual(loadConfigFile(directory), { config: {} })
    })

    it('warns about a file that cannot be read and goes on', () => {
      writeFileSync(join(directory, 'config.json'), '{')
      assert.match(loadConfigFile(directory).warning ?? '', /^WARNING: Error parsing config file/)
      writeFileSync(join(directory, 'config.json'), '[]')
      assert.match(loadConfigFile(directory).warning ?? '', /not a JSON object/)
    })

    it('warns about logins that cannot be read, and shows nothing of them', () => {
      const secret = Buffer.from('nothing but secret').toString('base64')
      for (const auths of [[], { r: 5 }, { r: { auth: 5 } }, { r: { username: ['secret'] } }, { r: { auth: secret } }]) {
        writeFileSync(join(directory, 'config.json'), JSON.stringify({ auths }))
        const { config, warning = '' } = loadConfigFile(directory)
        assert.deepEqual(config, {})
        assert.match(warning, /unmarshal|Invalid auth/, JSON.stringify(auths))
        assert.doesNotMatch(warning, new RegExp(`${secret}|secret`))
      }
      const auths = { a: null, b: {}, c: { auth: Buffer.from('me:p:w').toString('base64') } }
      writeFileSync(join(directory, 'config.json'), JSON.stringify({ auths }))
      assert.deepEqual(loadConfigFile(directory), { config: { auths } })
    })
  })
})
