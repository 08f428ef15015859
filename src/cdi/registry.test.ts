import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, it } from 'node:test'
import { createCdiRegistry } from './registry.ts'
import { sampleSpec } from './testing/sample-spec.ts'
import type { CdiRegistry } from './types.ts'

const root = mkdtempSync(join(tmpdir(), 'cdi-test-'))
after(() => rmSync(root, { recursive: true }))

describe('createCdiRegistry', () => {
  let low = ''
  let high = ''
  let warned: string[] = []
  let devices: CdiRegistry
  const names = async (): Promise<string[]> => (await devices.list()).map(({ name }) => name)
  const problems = async (): Promise<string[]> => (await devices.problems()).map(({ message }) => message.replaceAll(low, 'LOW'))
  const write = (name: string, text: string, directory = low): void => writeFileSync(join(directory, name), text)
  const envOf = async (...wanted: string[]): Promise<string[]> => (await devices.inject(sampleSpec(), wanted)).process.env.slice(1)

  beforeEach(() => {
    low = mkdtempSync(join(root, 'low-'))
    high = mkdtempSync(join(root, 'high-'))
    warned = []
    devices = createCdiRegistry({ directories: [low, join(root, 'missing'), high], warn: (_, { error }) => warned.push(String(error)) })
  })

  /** A file with one device that sets `A`. */
  const one = (name: string, value: string, kind = 'vendor.com/class'): string =>
    JSON.stringify({ cdiVersion: '0.5.0', kind, devices: [{ name, containerEdits: { env: [`A=${value}`] } }] })

  it('reads JSON and YAML, and nothing that is called otherwise', async () => {
    write('a.json', one('a', 'json'))
    write(
      'b.yaml',
      'cdiVersion: "0.6.0"\nkind: vendor.com/other\nannotations:\n  x.org/y: true\ndevices:\n- name: "0:1"\n  containerEdits:\n    env: [A=yaml]\n',
    )
    write('c.yml', one('c', 'x'))
    mkdirSync(join(low, 'd.json'))
    assert.deepEqual(await devices.list(), [
      { name: 'vendor.com/class=a', annotations: {} },
      { name: 'vendor.com/other=0:1', annotations: { 'x.org/y': 'true' } },
    ])
    assert.deepEqual(await envOf('vendor.com/other=0:1'), ['A=yaml'])
    assert.deepEqual(await problems(), [])
  })

  it('lets a later directory win, and neither of two in the same', async () => {
    write('a.json', one('a', 'low'))
    write('a.json', one('a', 'high'), high)
    assert.deepEqual(await envOf('vendor.com/class=a'), ['A=high'])
    write('b.json', one('a', 'second'))
    assert.deepEqual(await names(), [])
    const conflict = 'conflicting device "vendor.com/class=a" (specs "LOW/b.json", "LOW/a.json")'
    assert.deepEqual(await problems(), [conflict, conflict])
  })

  it('sees files that come, change and go', async () => {
    assert.deepEqual(await names(), [])
    write('a.json', one('a', '1'))
    assert.deepEqual(await names(), ['vendor.com/class=a'])
    write('a.json', one('other', '22'))
    assert.deepEqual(await names(), ['vendor.com/class=other'])
    rmSync(join(low, 'a.json'))
    assert.deepEqual(await names(), [])
  })

  it('makes the edits of a file once, before its devices', async () => {
    const spec = {
      cdiVersion: '0.3.0',
      kind: 'v.com/c',
      containerEdits: { env: ['A=file', 'F=1'] },
      devices: ['a', 'b'].map((name) => ({ name, containerEdits: { env: [`A=${name}`] } })),
    }
    write('a.json', JSON.stringify(spec))
    assert.deepEqual(await envOf('v.com/c=a', 'v.com/c=b'), ['A=b', 'F=1'])
  })

  it('names what it does not know, and tells of files that are broken', async () => {
    write('a.json', one('a', '1'))
    write('broken.json', '{"cdiVersion": "0.5.0", "devces": []}')
    await assert.rejects(devices.inject(sampleSpec(), ['v.com/c=x', 'vendor.com/class=a', 'v.com/c=y']), {
      code: 'NOT_FOUND',
      message: 'unresolvable CDI devices v.com/c=x, v.com/c=y',
    })
    assert.match(warned.join(), /^failed to load CDI Spec failed to parse CDI Spec ".*broken.json": .*unknown field "devces"/)
    assert.deepEqual(await envOf('vendor.com/class=a'), ['A=1'])
  })

  it('refuses what it cannot carry out when it is asked for', async () => {
    const rdt = { name: 'a', containerEdits: { intelRdt: { closID: 'x' } } }
    const hook = { name: 'b', containerEdits: { hooks: [{ hookName: 'startContainer', path: '/h' }] } }
    write('a.json', JSON.stringify({ cdiVersion: '0.7.0', kind: 'v.com/c', devices: [rdt, hook] }))
    assert.deepEqual(await names(), ['v.com/c=a', 'v.com/c=b'])
    await assert.rejects(devices.inject(sampleSpec(), ['v.com/c=b']), { code: 'NOT_IMPLEMENTED', message: /needs a startContainer hook/ })
    await assert.rejects(devices.inject(sampleSpec(), ['v.com/c=a']), { code: 'NOT_IMPLEMENTED', message: /v\.com\/c=a needs intelRdt/ })
  })

  it('reads no file outside, no pipe, and nothing huge', async () => {
    writeFileSync(join(root, 'outside'), one('a', '1'))
    symlinkSync(join(root, 'outside'), join(low, 'link.json'))
    write('huge.json', ' '.repeat((1 << 20) + 1))
    assert.deepEqual(await names(), [])
    assert.deepEqual(await problems(), [
      'failed to load CDI Spec failed to read CDI Spec "LOW/huge.json": 1048577 bytes, at most 1048576 are allowed',
      'failed to load CDI Spec failed to read CDI Spec "LOW/link.json": it leads out of LOW',
    ])
  })
})
