import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeBody, field, flag, integer, list, nameSet, struct, stringOrList, text, textList, textMap } from './codec.ts'

interface Inner {
  size: number
}
interface Outer {
  name: string
  on: boolean
  words: string[]
  ports: string[]
  labels: Record<string, string>
  inner: Inner
  inners: Inner[]
  recent: string
  command: string[] | null
}

const inner = struct<Inner>('pkg.Inner', { size: field('Size', integer('int64')) })
const outer = struct<Outer>(
  'pkg.Outer',
  {
    name: field('Name', text),
    on: field('On', flag, { zero: 'omit' }),
    words: field('Words', textList, { zero: 'null', absent: null }),
    ports: field('Ports', nameSet),
    labels: field('Labels', textMap),
    inner: field('Inner', inner.complete({ size: 7 })),
    inners: field('Inners', list(inner.complete({ size: 0 }), '[]pkg.Inner')),
    recent: field('Recent', text, { since: 40 }),
    command: field('Command', stringOrList, { absent: null }),
  },
  { Constant: 0 },
)

test('decode gives only what was sent, under domain names, in any case of the key', () => {
  const json = { NAME: 'x', words: null, unknown: { deep: 1 }, ports: { '80/tcp': {} }, inner: {}, command: 'one', labels: { a: null } }
  assert.deepEqual(outer.decode(json, 44), { name: 'x', ports: ['80/tcp'], inner: { size: 7 }, command: ['one'], labels: { a: '' } })
})

test('decode ignores fields of newer versions', () => {
  assert.deepEqual(outer.decode({ Recent: 'x' }, 39), {})
  assert.deepEqual(outer.decode({ Recent: 'x' }, 40), { recent: 'x' })
})

test("decodeBody refuses wrong types with Go's sentence and the whole path", () => {
  const complaints: [object, string][] = [
    [{ Name: 1 }, 'cannot unmarshal number into Go struct field Outer.Name of type string'],
    [{ On: 'yes' }, 'cannot unmarshal string into Go struct field Outer.On of type bool'],
    [{ Words: 'x' }, 'cannot unmarshal string into Go struct field Outer.Words of type []string'],
    [{ Words: [{}] }, 'cannot unmarshal object into Go struct field Outer.Words of type string'],
    [{ Inner: { Size: 'big' } }, 'cannot unmarshal string into Go struct field Inner.Inner.Size of type int64'],
    [{ Name: 1.5 }, 'cannot unmarshal number into Go struct field Outer.Name of type string'],
    [{ Inner: { Size: 1e20 } }, 'cannot unmarshal number 100000000000000000000 into Go struct field Inner.Inner.Size of type int64'],
    [{ Inner: { Size: 1.5 } }, 'cannot unmarshal number 1.5 into Go struct field Inner.Inner.Size of type int64'],
    [{ Inner: [] }, 'cannot unmarshal array into Go struct field Outer.Inner of type pkg.Inner'],
    [{ Inners: [{ Size: true }] }, 'cannot unmarshal bool into Go struct field Inner.Inners.Size of type int64'],
    [[], 'cannot unmarshal array into Go value of type pkg.Outer'],
  ]
  for (const [json, message] of complaints) {
    assert.throws(() => decodeBody(outer, json, 44), { code: 'INVALID_ARGUMENT', message: `invalid JSON: json: ${message}` })
  }
})

test('decodeBody takes no body for an empty one', () => {
  assert.deepEqual(decodeBody(outer, undefined, 44), {})
  assert.deepEqual(decodeBody(outer, null, 44), {})
})

test('encode chooses between null, empty and nothing as the table says', () => {
  const value: Outer = {
    name: '',
    on: false,
    words: [],
    ports: ['b', 'a'],
    labels: {},
    inner: { size: 0 },
    inners: [{ size: 1 }],
    recent: 'r',
    command: null,
  }
  assert.deepEqual(outer.encode(value, 39), {
    Name: '',
    Words: null,
    Ports: { a: {}, b: {} },
    Labels: {},
    Inner: { Size: 0 },
    Inners: [{ Size: 1 }],
    Command: null,
    Constant: 0,
  })
  assert.equal(outer.encode(value, 40)['Recent'], 'r')
})

test('textMap keeps a label named __proto__ as a label', () => {
  const labels = textMap.decode(JSON.parse('{"__proto__":"x"}'), 44)
  assert.deepEqual(Object.entries(labels), [['__proto__', 'x']])
})
