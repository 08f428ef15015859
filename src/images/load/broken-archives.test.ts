import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { tarEntry, writeTar } from '#archive'
import { digestOf, hexOf } from '#oci'
import { imagesUnderTest } from '../testing/images-under-test.ts'
import { dockerArchive, json, LayoutBuilder, makeConfig, makeLayer, makeTar, platform } from '../testing/make-archive.ts'

const first = await makeLayer('a', 'lower')
const second = await makeLayer('b', 'upper')
const LAYERS = [first, second]
const CONFIG = makeConfig(LAYERS)
const layout = new LayoutBuilder()
const image = layout.addImage(CONFIG, LAYERS)
const manifest = (members: object): Buffer => json([{ Config: 'c.json', RepoTags: ['app:1'], Layers: [], ...members }])
const whole = await dockerArchive({ config: CONFIG, layers: LAYERS, tags: ['app:1'] })
const wrongBlob = { ...layout.files, [`blobs/sha256/${hexOf(digestOf(first))}`]: second }

const BROKEN: [name: string, archive: Buffer, message: RegExp][] = [
  ['nothing', Buffer.alloc(0), /does not contain a manifest\.json/],
  ['what is no archive', Buffer.alloc(5000, 'x'), /invalid tar header/],
  ['an archive without a manifest', await makeTar({ x: Buffer.from('x') }), /invalid archive: does not contain a manifest\.json/],
  [
    'what Docker before 1.10 saved',
    await makeTar({ repositories: json({ app: { 1: 'a'.repeat(64) } }) }),
    /does not contain a manifest\.json/,
  ],
  ['a truncated archive', whole.subarray(0, 1200), /unexpected EOF/],
  ['a truncated compressed archive', gzipSync(whole).subarray(0, -50), /Cannot decompress gzip/],
  ['a manifest that is no JSON', await makeTar({ 'manifest.json': Buffer.from('{') }), /manifest\.json is not JSON/],
  ['a manifest that is no list', await makeTar({ 'manifest.json': json({}) }), /is not a list/],
  ['a manifest with a number for a path', await makeTar({ 'manifest.json': manifest({ Config: 5 }) }), /Config is not a path/],
  ['a missing config', await makeTar({ 'manifest.json': manifest({}) }), /does not contain c\.json/],
  ['a missing layer', await makeTar({ 'manifest.json': manifest({ Layers: ['l'] }), 'c.json': CONFIG }), /does not contain l$/],
  ['a config that is no JSON', await makeTar({ 'manifest.json': manifest({}), 'c.json': Buffer.from('x') }), /image config: not JSON/],
  [
    'another number of layers than the config says',
    await makeTar({ 'manifest.json': manifest({}), 'c.json': CONFIG }),
    /layers length mismatch: expected 2, got 0/,
  ],
  [
    'layers in the wrong order',
    await makeTar({ 'manifest.json': manifest({ Layers: ['2', '1'] }), 'c.json': CONFIG, 1: first, 2: second }),
    /layers from manifest don't match image configuration/,
  ],
  ['a bad name', await dockerArchive({ config: CONFIG, layers: LAYERS, tags: ['UPPER'] }), /must be lowercase/],
  ['a name without a tag', await dockerArchive({ config: CONFIG, layers: LAYERS, tags: ['app'] }), /invalid tag "app"/],
  [
    'an image of another system',
    await dockerArchive({ config: makeConfig([], { os: 'windows' }), layers: [], tags: [] }),
    /cannot load windows image on linux/,
  ],
  ['a name that leads outside', await makeTar({ '../../etc/passwd': Buffer.from('x') }), /"\.\.\/\.\.\/etc\/passwd" leads outside/],
  ['a link that leads outside', await makeTar({ l: { link: '../x' } }), /leads outside/],
  ['a link to an absolute path', await makeTar({ 'manifest.json': { link: '/etc/passwd' } }), /link to an absolute path/],
  [
    'links in a circle',
    await makeTar({ 'manifest.json': { link: 'b' }, b: { link: 'manifest.json' } }),
    /does not contain a manifest\.json/,
  ],
  ['a device', await makeTar({ d: { type: 'character', major: 1, minor: 3 } }), /character device/],
  ['a sparse header of 10 GB', await buffer(writeTar([{ entry: tarEntry({ path: 's', size: 10e9, sparse: [] }) }])), /sparse file/],
  [
    'an OCI blob with another digest',
    await makeTar({ 'index.json': json({ schemaVersion: 2, manifests: [image] }), ...wrongBlob }),
    /has digest sha256:/,
  ],
  ['an OCI index that promises another size', await layout.archive([{ ...image, size: image.size + 1 }]), /expected \d+/],
  ['an OCI index without images', await layout.archive([]), /lists no image/],
  [
    'an OCI index whose images are all missing',
    await layout.archive([layout.addIndex([{ ...image, digest: digestOf('elsewhere'), ...platform('s390x') }])]),
    /no image for platform linux/,
  ],
]
describe('load of a broken archive', () => {
  for (const [name, archive, message] of BROKEN) {
    it(`refuses ${name} and leaves nothing`, async () => {
      using test = imagesUnderTest()
      await assert.rejects(test.load(archive), { code: 'INVALID_ARGUMENT', message })
      await test.images.restore() // waits for the collection
      assert.deepEqual(test.content.list(), [])
      assert.deepEqual([...test.snapshotter.blobs()], [])
      assert.deepEqual(test.images.list({ all: true, filters: { reference: [], label: [], labelNot: [] } }), [])
      assert.deepEqual(test.events, [])
    })
  }
})
