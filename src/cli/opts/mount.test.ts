import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseMount } from './mount.ts'

describe('parseMount', () => {
  const parse = (text: string): object => parseMount(text, '/cwd')
  it('reads the options of each type', () => {
    assert.deepEqual(parse('type=bind,src=./a,dst=/b,ro,bind-propagation=rprivate,bind-recursive=readonly'), {
      Type: 'bind',
      Source: '/cwd/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rprivate', ReadOnlyForceRecursive: true },
    })
    assert.deepEqual(parse('src=v,dst=/b,volume-nocopy,volume-label=a=1,volume-driver=d,"volume-opt=o=x,y"'), {
      Type: 'volume',
      Source: 'v',
      Target: '/b',
      VolumeOptions: { NoCopy: true, Labels: { a: '1' }, DriverConfig: { Name: 'd', Options: { o: 'x,y' } } },
    })
    assert.deepEqual(parse('type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1777'), {
      Type: 'tmpfs',
      Target: '/t',
      TmpfsOptions: { SizeBytes: 1048576, Mode: 0o1777 },
    })
  })

  it('refuses what does not go together', () => {
    const failures: [string, string][] = [
      ['dst', "invalid field 'dst' must be a key=value pair"],
      ['type=bind', 'target is required'],
      ['type=bind,src=/a,dst=/b,volume-nocopy', "cannot mix 'volume-*' options with mount type 'bind'"],
      ['type=bind,src=/a,dst=/b,foo=1', "unexpected key 'foo' in 'foo=1'"],
      [
        'type=bind,src=/a,dst=/b,bind-recursive=writable',
        "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction",
      ],
      ['type=tmpfs,dst=/a,tmpfs-size=x', 'invalid value for tmpfs-size: x'],
    ]
    for (const [text, message] of failures) assert.throws(() => parse(text), { message }, text)
  })
})

it('parseMount gives an idmap to the directory, or to the driver of the volume', () => {
  const idmap = 'uids=0:1000:1;gids=0:1000:1'
  assert.deepEqual(parseMount(`idmap=${idmap},type=bind,src=/home,dst=/h`, '/').BindOptions, { 'x-gantry-idmap': idmap })
  const volume = parseMount(`type=volume,src=v,dst=/v,idmap=${idmap}`, '/')
  assert.deepEqual([volume.BindOptions, volume.VolumeOptions?.DriverConfig?.Options], [undefined, { idmap }])
})
