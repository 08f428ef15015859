import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { PERSONAS, type DaemonConfig } from './daemon-config.ts'
import { loadConfig, reloaded } from './load-config.ts'
import { parseDaemonFlags } from './parse-flags.ts'

/** The configuration from a file with this content and these flags; `path` names the file in messages. */
function load(content: string, flags: string[] = [], env: Record<string, string> = {}): { config: DaemonConfig } {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-config-'))
  const path = join(directory, 'daemon.json')
  writeFileSync(path, content)
  try {
    return { config: loadConfig(parseDaemonFlags([...flags, '--config-file', path]), PERSONAS.daemon, env) }
  } catch (error) {
    throw new Error((error as Error).message.replace(path, 'daemon.json'), { cause: error })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

describe('loadConfig', () => {
  it('knows where devices are described, or that there are none', () => {
    assert.deepEqual(load('{}').config.cdiSpecDirectories, ['/etc/cdi', '/var/run/cdi'])
    assert.deepEqual(load('{"cdi-spec-dirs": ["/a", "/b"]}').config.cdiSpecDirectories, ['/a', '/b'])
    assert.deepEqual(load('{}', ['--cdi-spec-dir', '']).config.cdiSpecDirectories, [])
    assert.throws(() => load('{}', ['--cdi-spec-dir', 'relative']), /cdi-spec-dir/)
  })

  it('reads keys named as flags, and plurals of lists', () => {
    const { config } = load(
      JSON.stringify({
        debug: true,
        hosts: ['unix:///x'],
        labels: ['a=b'],
        'log-opts': { 'max-size': '1m' },
        'default-ulimits': { nofile: { Name: 'nofile', Soft: 1, Hard: 2 } },
        'default-address-pools': [{ base: '10.0.0.0/8', size: 24 }],
        'default-shm-size': '32M',
      }),
    )
    assert.equal(config.log.level, 'debug')
    assert.deepEqual(config.hosts, ['unix:///x'])
    assert.deepEqual(config.labels, ['a=b'])
    assert.deepEqual(config.containers.logConfig, { type: 'json-file', config: { 'max-size': '1m' } })
    assert.deepEqual(config.containers.ulimits, [{ name: 'nofile', soft: 1, hard: 2 }])
    assert.deepEqual(config.network.addressPools, [{ base: '10.0.0.0/8', size: 24 }])
    assert.equal(config.containers.shmSize, 32 << 20)
  })

  it('takes an empty file and a missing default file for nothing', () => {
    assert.equal(load('  \n').config.dataRoot, '/var/lib/gantry')
    assert.equal(loadConfig({}, { ...PERSONAS.daemon, configFile: '/nonexistent/daemon.json' }).execRoot, '/run/gantry')
  })

  it('reads what concerns registries from file, flags and environment', () => {
    const file = {
      'registry-mirrors': ['http://mirror:5000'],
      'insecure-registries': ['10.0.0.0/8', 'http://registry:5000'],
      'max-concurrent-downloads': 7,
      proxies: { 'http-proxy': 'http://file:3128' },
      'storage-opts': ['gantry.layer-blobs=discard'],
    }
    const env = { HTTP_PROXY: 'http://env:3128', https_proxy: 'http://lower:3128', DOCKER_MIN_API_VERSION: '1.40' }
    const { config } = load(JSON.stringify(file), ['--max-download-attempts', '2', '--no-proxy', 'a,b'], env)
    assert.deepEqual(config.registries, {
      mirrors: ['http://mirror:5000/'],
      insecure: ['10.0.0.0/8', 'registry:5000'],
      configDirectory: '/etc/gantry/certs.d',
      maxConcurrentDownloads: 7,
      maxConcurrentUploads: 5,
      maxDownloadAttempts: 2,
      proxy: { http: 'http://file:3128', https: 'http://lower:3128', no: 'a,b' },
    })
    assert.deepEqual([config.storage.layerBlobs, config.minApiVersion], ['discard', '1.40'])
  })

  const prefix = 'unable to configure the Docker daemon with file daemon.json: '
  const refused: [string, string, string[]][] = [
    [
      '{"debug":true}',
      'the following directives are specified both as a flag and in the configuration file: debug: (from flag: false, from file: true)',
      ['--debug=false'],
    ],
    [
      '{"hosts":["unix:///a"],"mtu":1}',
      'the following directives are specified both as a flag and in the configuration file: hosts: (from flag: [unix:///b], from file: [unix:///a])',
      ['-H', 'unix:///b'],
    ],
    ['{"nope":1,"neither":2}', "the following directives don't match any configuration option: nope, neither", []],
    ['{"runtimes":{}}', 'the following directives are not supported: runtimes', []],
    ['{"proxies":{"ftp-proxy":"x"}}', "the following directives don't match any configuration option: ftp-proxy", []],
    ['{"proxies":"x"}', 'proxies: cannot use "x": an object of strings is wanted', []],
    [
      '{"proxies":{"http-proxy":"http://me:secret@a"}}',
      'the following directives are specified both as a flag and in the configuration file: http-proxy: (from flag: http://b, from file: http://xxxxx:xxxxx@a)',
      ['--http-proxy', 'http://b'],
    ],
    ['{"debug":"yes"}', 'debug: cannot use "yes": true or false is wanted', []],
    ['{"labels":"a=b"}', 'labels: cannot use "a=b": a list of strings is wanted', []],
    ['[]', 'the file holds no JSON object', []],
  ]
  for (const [content, message, flags] of refused) {
    it(`refuses ${content}${flags.length > 0 ? ` with ${flags.join(' ')}` : ''}`, () => {
      assert.throws(() => load(content, flags), { message: prefix + message })
    })
  }

  it('refuses malformed JSON and a missing file that was named', () => {
    assert.throws(() => load('{'), /^Error: unable to configure the Docker daemon with file daemon\.json: /)
    assert.throws(() => loadConfig({ 'config-file': '/nonexistent' }, PERSONAS.daemon), {
      message: 'unable to configure the Docker daemon with file /nonexistent: open /nonexistent: no such file or directory',
    })
  })

  const impossible: [string[], RegExp][] = [
    [['--log-level', 'loud'], /^Error: invalid logging level: loud$/],
    [['--storage-driver', 'btrfs'], /storage driver btrfs is not supported/],
    [['--live-restore=false'], /live-restore=false is not supported/],
    [['--firewall-backend', 'iptables'], /firewall-backend iptables is not supported/],
    [['--userland-proxy'], /userland-proxy=true is not supported/],
    [['--exec-opt', 'native.cgroupdriver=systemd'], /exec-opt native\.cgroupdriver=systemd is not supported/],
    [['--data-root', 'relative'], /data-root must be an absolute path: relative/],
    [['--max-concurrent-downloads=-1'], /^Error: invalid max concurrent downloads: -1$/],
    [['--max-download-attempts=0'], /^Error: invalid max download attempts: 0$/],
    [['--registry-mirror', 'mirror:5000'], /^Error: invalid mirror: no scheme specified/],
    [['--min-api-version', '1.12'], /^Error: minimum supported API version is 1\.24: 1\.12$/],
    [['--min-api-version', '2.0'], /^Error: maximum supported API version is 1\.55: 2\.0$/],
    [['--min-api-version', 'new'], /^Error: invalid minimum API version: new$/],
    [['--storage-opt', 'size=1G'], /storage-opt size=1G is not supported/],
    [['--storage-opt', 'gantry.layer-blobs=some'], /gantry\.layer-blobs is keep or discard/],
    [['--bridge', 'none'], /bridge=none is not supported yet/],
  ]
  for (const [flags, message] of impossible) {
    it(`refuses ${flags.join(' ')}`, () => assert.throws(() => load('{}', flags), message))
  }

  it('takes settings of IPv6 and options of new networks', () => {
    const { network } = load(
      '{"ipv6":true,"fixed-cidr-v6":"fd00:1::/64","bip6":"fd00:1::1/64","default-gateway-v6":"fd00:1::9","iptables":false,"ip6tables":true}',
      ['--default-network-opt', 'bridge=com.docker.network.driver.mtu=1450', '--default-network-opt', 'bridge=a=b=c'],
    ).config
    assert.deepEqual(
      [network.ipv6, network.fixedCidrV6, network.bip6, network.defaultGatewayV6],
      [true, 'fd00:1::/64', 'fd00:1::1/64', 'fd00:1::9'],
    )
    assert.deepEqual([network.firewall, network.firewall6], [false, true])
    assert.deepEqual(network.defaultOptions, { bridge: { 'com.docker.network.driver.mtu': '1450', a: 'b=c' } })
    assert.deepEqual(load('{"default-network-opts":{"bridge":{"a":"b"}},"iptables":false}').config.network.firewall6, false)
    assert.throws(() => load('{}', ['--default-network-opt', 'bridge']), /expected driver=key=value/)
  })

  it('stands in the place of dockerd when called by its name', () => {
    const config = loadConfig({}, { ...PERSONAS.dockerd, configFile: '/nonexistent' })
    assert.deepEqual([config.hosts, config.pidfile], [['unix:///var/run/docker.sock'], '/var/run/docker.pid'])
  })
})

describe('reloaded', () => {
  it('takes over what can change while containers run, and nothing else', () => {
    const running = load('{}').config
    const next = load('{"debug":true,"labels":["a=b"],"data-root":"/elsewhere","default-shm-size":"1m","mtu":9000}').config
    const config = reloaded(running, next)
    assert.deepEqual([config.log.level, config.labels, config.containers.shmSize], ['debug', ['a=b'], 1 << 20])
    assert.deepEqual([config.dataRoot, config.network.mtu], ['/var/lib/gantry', 1500])
  })

  it('takes over mirrors, insecure registries and limits, but no proxies', () => {
    const running = load('{}').config
    const next = load(
      '{"registry-mirrors":["http://m"],"insecure-registries":["r"],"max-concurrent-uploads":9,"proxies":{"http-proxy":"http://p"}}',
    ).config
    const { registries } = reloaded(running, next)
    assert.deepEqual([registries.mirrors, registries.insecure, registries.maxConcurrentUploads], [['http://m/'], ['r'], 9])
    assert.equal(registries.proxy.http, '')
  })
})
