import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseHostsFile } from './hosts-file.ts'

const EXAMPLE = `
server = "https://registry-1.docker.io"

[host."https://second.example:8443/prefix/"]
  capabilities = ["pull", "Resolve"]
  ca = "ca.pem"
  client = [["a.cert", "a.key"], ["b.pem", ""]]
  skip_verify = false
  dial_timeout = "1.5s"
  [host."https://second.example:8443/prefix/".header]
    authorization = "Basic abc"
    x-list = ["1", "2"]

[host."first.example"]
  override_path = true
  ca = ["x.pem", "/y.pem"]
  client = "both.pem"
`

describe('parseHostsFile', () => {
  it('reads everything, in the order of the file, the registry last', () => {
    const [second, first, own] = parseHostsFile(EXAMPLE, 'hosts.toml')
    assert.deepEqual(second, {
      server: new URL('https://second.example:8443/prefix/'),
      capabilities: new Set(['pull', 'resolve']),
      ca: ['ca.pem'],
      clients: [
        { cert: 'a.cert', key: 'a.key' },
        { cert: 'b.pem', key: undefined },
      ],
      skipVerify: false,
      headers: { authorization: ['Basic abc'], 'x-list': ['1', '2'] },
      overridePath: false,
      dialTimeout: 1500,
    })
    assert.deepEqual(
      [first?.server?.href, first?.ca, first?.clients],
      ['https://first.example/', ['x.pem', '/y.pem'], [{ cert: 'both.pem', key: undefined }]],
    )
    assert.deepEqual([first?.overridePath, first?.capabilities.size, own?.server?.href], [true, 3, 'https://registry-1.docker.io/'])
  })

  it('takes a file without a server for mirrors in front of the registry itself', () => {
    const entries = parseHostsFile('ca = "ca.crt"', 'hosts.toml')
    assert.deepEqual(
      entries.map(({ server, ca }) => [server, ca]),
      [[undefined, ['ca.crt']]],
    )
  })

  const BAD: [string, RegExp][] = [
    ['server = ', /^cannot use \/d\/hosts\.toml: /],
    ['server = 5', /server is not a string$/],
    ['servr = "x"', /unknown key servr$/],
    ['[host."a"]\ncapabilities = ["delete"]', /unknown capability delete$/],
    ['host = 5', /host is not a table$/],
    ['ca = [5]', /ca is neither a string nor a list of strings$/],
    ['client = [["a", "b", "c"]]', /not a pair/],
    ['skip_verify = "yes"', /skip_verify is neither true nor false$/],
    ['dial_timeout = 5', /dial_timeout 5 is not a duration$/],
    ['dial_timeout = "soon"', /is not a duration$/],
    ['server = "https://["', /unable to parse server/],
    ['server = "https://user:password@host"', /more than scheme, host and path$/],
    ['[header]\nx = 5', /header\.x is neither/],
  ]
  for (const [text, message] of BAD) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseHostsFile(text, '/d/hosts.toml'), { code: 'INVALID_ARGUMENT', message }))
  }
})
