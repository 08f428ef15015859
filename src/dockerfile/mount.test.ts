import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseMount } from './mount.ts'

const parse = (text: string): object => parseMount(text, (value) => value.replace('$X', 'x'))

describe('parseMount', () => {
  it('reads a bind mount, the default', () => {
    assert.deepEqual(parse('target=/a,source=b,from=$X'), { type: 'bind', target: '/a', source: 'b', from: 'x', readonly: true })
    assert.deepEqual(parse('dst=/a,rw'), { type: 'bind', target: '/a', source: undefined, from: undefined, readonly: false })
  })
  it('reads a cache mount', () => {
    assert.deepEqual(parse('type=cache,target=/a'), {
      type: 'cache',
      target: '/a',
      source: undefined,
      from: undefined,
      id: undefined,
      sharing: 'shared',
      readonly: false,
      mode: undefined,
      uid: undefined,
      gid: undefined,
    })
    assert.deepEqual(parse('Type=Cache,id=i,target=/a,sharing=LOCKED,mode=0700,uid=1,gid=2,ro=true,from=b,source=/c'), {
      type: 'cache',
      target: '/a',
      source: '/c',
      from: 'b',
      id: 'i',
      sharing: 'locked',
      readonly: true,
      mode: 0o700,
      uid: 1,
      gid: 2,
    })
  })
  it('reads a tmpfs mount', () =>
    assert.deepEqual(parse('type=tmpfs,target=/a,size=2m'), { type: 'tmpfs', target: '/a', readonly: false, size: 2 << 20 }))
  it('reads secrets and finds their id', () => {
    const id = (text: string): unknown => (parse(`type=secret,${text}`) as { id: string }).id
    assert.equal(id('id=a'), 'a')
    assert.equal(id('source=a'), 'a')
    assert.equal(id('target=/run/x/a'), 'a')
    assert.deepEqual(parse('type=secret,id=a,env=A,required'), {
      type: 'secret',
      target: undefined,
      readonly: true,
      mode: undefined,
      uid: undefined,
      gid: undefined,
      id: 'a',
      env: 'A',
      required: true,
    })
  })
  it('reads ssh', () => assert.equal((parse('type=ssh') as { id: string }).id, 'default'))
  it('reads quoted fields', () => assert.equal((parse('"target=/a,b"') as { target: string }).target, '/a,b'))

  const ERRORS: readonly (readonly [text: string, message: string])[] = [
    ['type=volume', 'unsupported mount type "volume"'],
    ['type=binds', 'unsupported mount type "binds" (did you mean bind?)'],
    ['targett=/a', "unexpected key 'targett' in 'targett=/a' (did you mean target?)"],
    ['target', "invalid field 'target' must be a key=value pair"],
    ['required,type=secret', "unexpected key 'required' for mount type 'bind'"],
    ['type=cache,size=1', "unexpected key 'size' for mount type 'cache'"],
    ['type=tmpfs,size=x', 'invalid value for size: x'],
    ['ro=maybe', 'invalid value for ro: maybe'],
    ['mode=0755', 'mode not allowed for "bind" type mounts'],
    ['type=cache,mode=9', 'invalid value 9 for mode'],
    ['type=cache,uid=-1', 'invalid value -1 for uid'],
    ['type=cache,sharing=some', 'unsupported sharing value "some"'],
    ['sharing=shared', 'invalid cache sharing set for bind mount'],
    ['type=secret', 'invalid secret mount. one of source, target required'],
    ['type=secret,id=a,source=b', "both source and id can't be set"],
    ['type=secret,id=a,from=b', 'secret mount should not have a from'],
    ['a"b', 'failed to parse csv mounts: parse error on line 1, column 2: bare " in non-quoted-field'],
    ['"a', 'failed to parse csv mounts: parse error on line 1, column 3: extraneous or missing " in quoted-field'],
  ]
  for (const [text, message] of ERRORS) it(`refuses ${text}`, () => assert.throws(() => parse(text), { code: 'INVALID_ARGUMENT', message }))
})
