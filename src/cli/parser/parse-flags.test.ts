import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bool, int, list, parseInteger, string, strings, uint, type FlagTable } from './flag.ts'
import { FlagError, parseFlags } from './parse-flags.ts'

const table = {
  detach: bool('', { short: 'd' }),
  interactive: bool('', { short: 'i' }),
  tty: bool('', { short: 't' }),
  pause: bool('', { initial: true }),
  name: string(''),
  publish: list('', { short: 'p' }),
  platform: strings(''),
  last: int('', { short: 'n', initial: -1 }),
  weight: uint('uint16', 16, ''),
  timeout: int('', { short: 's' }),
  time: int('', { hidden: true, aliasOf: 'timeout' }),
  old: string('', { deprecated: 'use the new one' }),
} satisfies FlagTable

const parse = (...args: string[]): ReturnType<typeof parseFlags<typeof table>> => parseFlags(table, args)

describe('parseFlags', () => {
  it('reads all spellings of a value', () => {
    const { values } = parse('-p80:80', '-p', '81:81', '-p=82:82', '--publish=83:83', '--publish', '84:84')
    assert.deepEqual(values.publish, ['80:80', '81:81', '82:82', '83:83', '84:84'])
  })

  it('reads switches in a cluster, the last of which may take a value', () => {
    const { values } = parse('-itdp80')
    assert.deepEqual([values.interactive, values.tty, values.detach, values.publish], [true, true, true, ['80']])
  })

  it('reads switches with a value', () => {
    assert.equal(parse('--pause=false').values.pause, false)
    assert.equal(parse('--detach=1').values.detach, true)
  })

  it('knows which flags were given', () => {
    assert.deepEqual([...parse('--name', '', '-d').changed], ['name', 'detach'])
  })

  it('lets flags and arguments mix, unless it was told not to', () => {
    assert.deepEqual(parse('a', '-d', 'b').args, ['a', 'b'])
    const { args, values } = parseFlags(table, ['image', '-d', '--', 'x'], { interspersed: false })
    assert.deepEqual(args, ['image', '-d', '--', 'x'])
    assert.equal(values.detach, false)
  })

  it('ends flags at --, and takes - for an argument', () => {
    assert.deepEqual(parse('-', '--', '-d').args, ['-', '-d'])
  })

  it('sets the value of another flag through an old spelling', () => {
    const { values, changed } = parse('--time', '5')
    assert.equal(values.timeout, 5)
    assert.ok(changed.has('timeout'))
  })

  it('tells about deprecated flags', () => {
    assert.deepEqual(parse('--old', 'x').notices, ['Flag --old has been deprecated, use the new one'])
  })

  it('stops at --help and -h', () => {
    assert.equal(parse('--help', '--nosuch').help, 'long')
    assert.equal(parse('-h').help, 'short')
    assert.equal(parse('--help=false').help, false)
  })

  it("throws pflag's texts", () => {
    const failures: [string[], string][] = [
      [['--nosuch'], 'unknown flag: --nosuch'],
      [['-dz'], "unknown shorthand flag: 'z' in -z"],
      [['--name'], 'flag needs an argument: --name'],
      [['-dn'], "flag needs an argument: 'n' in -n"],
      [['--=x'], 'bad flag syntax: --=x'],
      [['-n', 'x'], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
      [['--weight', '70000'], 'invalid argument "70000" for "--weight" flag: strconv.ParseUint: parsing "70000": value out of range'],
      [['--pause=maybe'], 'invalid argument "maybe" for "--pause" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    ]
    for (const [args, message] of failures) {
      assert.throws(
        () => parse(...args),
        (error: Error) => error instanceof FlagError && error.message === message,
        args.join(' '),
      )
    }
  })
})

describe('parseInteger', () => {
  it("reads Go's bases", () => {
    for (const [text, value] of [
      ['0x10', 16],
      ['010', 8],
      ['0o17', 15],
      ['0b11', 3],
      ['-5', -5],
      ['+7', 7],
    ] as const) {
      assert.equal(parseInteger('ParseInt', text, -100, 100), value)
    }
  })
})
