import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type HostsFileRequest, hostsFile } from './hosts-file.ts'

const REQUEST: HostsFileRequest = {
  hostname: 'web',
  domainname: '',
  addresses: ['172.17.0.2'],
  extraHosts: [],
  hostGateway: '172.17.0.1',
}

const BEGINNING = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`

suite('hostsFile', () => {
  test('names the container after the usual names', () => {
    assert.equal(hostsFile(REQUEST), `${BEGINNING}172.17.0.2\tweb\n`)
  })

  test('puts the full name first when there is a domain', () => {
    assert.equal(hostsFile({ ...REQUEST, domainname: 'example.org' }), `${BEGINNING}172.17.0.2\tweb.example.org web\n`)
  })

  test('adds extra hosts, the gateway and IPv6 addresses among them', () => {
    const extraHosts = ['db:10.0.0.5', 'up:host-gateway', 'six:fd00::1']
    assert.equal(hostsFile({ ...REQUEST, addresses: [], extraHosts }), `${BEGINNING}10.0.0.5\tdb\n172.17.0.1\tup\nfd00::1\tsix\n`)
  })

  test("continues the host's file on the host's network", () => {
    assert.equal(
      hostsFile({ ...REQUEST, addresses: [], base: '127.0.0.1 localhost\n', extraHosts: ['db:10.0.0.5'] }),
      '127.0.0.1 localhost\n10.0.0.5\tdb\n',
    )
  })

  test('refuses extra hosts that are none', () => {
    assert.throws(() => hostsFile({ ...REQUEST, extraHosts: ['db'] }), {
      code: 'INVALID_ARGUMENT',
      message: 'bad format for add-host: "db"',
    })
    assert.throws(() => hostsFile({ ...REQUEST, extraHosts: [':1.2.3.4'] }), /bad format/)
    assert.throws(() => hostsFile({ ...REQUEST, extraHosts: ['db:nowhere'] }), { message: 'invalid IP address in add-host: "nowhere"' })
    assert.throws(() => hostsFile({ ...REQUEST, hostGateway: '', extraHosts: ['up:host-gateway'] }), /host-gateway/)
  })
})
