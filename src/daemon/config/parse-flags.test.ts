import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseDaemonFlags } from './parse-flags.ts'

describe('parseDaemonFlags', () => {
  it('reads flags in every spelling', () => {
    const given = parseDaemonFlags([
      '--data-root=/d',
      '--exec-root',
      '/e',
      '-H',
      'unix:///a',
      '-Htcp://127.0.0.1:1',
      '--host=unix:///b',
      '-D',
      '--icc=false',
      '--default-shm-size',
      '1m',
      '--log-opt',
      'max-size=10m',
      '--log-opt=max-file=3',
      '--default-ulimit',
      'nofile=10:20',
      '--default-address-pool',
      'base=10.0.0.0/8,size=24',
    ])
    assert.deepEqual(given, {
      'data-root': '/d',
      'exec-root': '/e',
      host: ['unix:///a', 'tcp://127.0.0.1:1', 'unix:///b'],
      debug: true,
      icc: false,
      'default-shm-size': 1 << 20,
      'log-opt': { 'max-size': '10m', 'max-file': '3' },
      'default-ulimit': [{ name: 'nofile', soft: 10, hard: 20 }],
      'default-address-pool': [{ base: '10.0.0.0/8', size: 24 }],
    })
  })

  const refused: [string[], string][] = [
    [['--nope'], 'unknown flag: --nope'],
    [['-x'], "unknown shorthand flag: 'x' in -x"],
    [['-Dx'], "unknown shorthand flag: 'x' in -Dx"],
    [['--userns-remap', 'x'], 'flag --userns-remap is not supported'],
    [['--data-root'], 'flag needs an argument: --data-root'],
    [['--debug=maybe'], 'invalid argument "maybe" for "-D, --debug" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [['--mtu', 'x'], 'invalid argument "x" for "--mtu" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [['--default-ulimit', 'nofile'], 'invalid argument "nofile" for "--default-ulimit" flag: invalid ulimit argument: nofile'],
    [['extra'], '"dockerd" accepts no arguments: "extra"'],
  ]
  for (const [args, message] of refused) {
    it(`refuses ${args.join(' ')}`, () => assert.throws(() => parseDaemonFlags(args), { message }))
  }
})
