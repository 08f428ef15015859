import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { annotationsFor, checkAnnotations } from './annotations.ts'
import { AttributeReader } from './attributes.ts'
import { parseEpoch } from './epoch.ts'
import { parseProvenance } from './provenance/provenance-options.ts'

const read = (attributes: Record<string, string>): AttributeReader => new AttributeReader('oci', attributes)
const AMD64 = { os: 'linux', architecture: 'amd64' }
const ARM64 = { os: 'linux', architecture: 'arm64', variant: 'v8' }

describe('AttributeReader', () => {
  it('reads booleans as Go does', () => {
    for (const [text, value] of [
      ['', true],
      ['1', true],
      ['T', true],
      ['false', false],
      ['0', false],
    ] as const) {
      assert.equal(read({ push: text }).boolean('push'), value)
    }
    assert.equal(read({}).boolean('push'), undefined)
    assert.throws(
      () => read({ push: 'yes' }).boolean('push'),
      /non-bool value specified for push: strconv.ParseBool: parsing "yes": invalid syntax/,
    )
  })

  it('reads compressions', () => {
    assert.deepEqual(read({}).compression(), { type: 'gzip', level: undefined, force: false, isWritten: false })
    const zstd = { compression: 'zstd', 'compression-level': '19', 'force-compression': 'true' }
    assert.deepEqual(read(zstd).compression(), { type: 'zstd', level: 19, force: true, isWritten: true })
    assert.equal(read({ compression: 'zstd', 'compression-level': '0' }).compression().level, undefined)
    assert.throws(() => read({ 'compression-level': '10' }).compression(), /compression-level 10 is not between 0 and 9 for gzip/)
    assert.throws(() => read({ 'compression-level': '-1' }).compression(), /non-integer value/)
    assert.throws(() => read({ compression: 'lzma' }).compression(), /unsupported compression type lzma/)
  })

  it('takes annotations by place and platform', () => {
    const reader = read({
      'annotation.a': '1',
      'annotation-manifest[linux/arm64].a': '2',
      'annotation-index.b': '3',
      'annotation-manifest-descriptor.c.d': '4',
      tar: 'true',
    })
    const annotations = reader.annotations()
    assert.deepEqual(annotationsFor(annotations, 'manifest', AMD64), { a: '1' })
    assert.deepEqual(annotationsFor(annotations, 'manifest', ARM64), { a: '2' })
    assert.deepEqual(annotationsFor(annotations, 'index'), { b: '3' })
    assert.deepEqual(annotationsFor(annotations, 'manifest-descriptor', AMD64), { 'c.d': '4' })
    assert.equal(annotationsFor(annotations, 'index-descriptor'), undefined)
    checkAnnotations(annotations, [AMD64, ARM64])
    assert.throws(() => checkAnnotations(annotations, [AMD64]), /no platform linux\/arm64 found in source/)
    assert.throws(() => read({ 'annotation-index[linux/arm64].a': '1' }).annotations(), /index annotations do not support platforms/)
    assert.equal(reader.boolean('tar'), true)
    reader.end()
  })

  it('names what nobody has taken', () => {
    const reader = read({ name: 'a', nmae: 'b' })
    reader.take('name')
    assert.throws(() => reader.end(), /unknown attribute "nmae" for the oci exporter/)
  })
})

describe('parseEpoch', () => {
  it('takes the exporter’s own before the build argument', () => {
    assert.equal(parseEpoch('5', { 'build-arg:SOURCE_DATE_EPOCH': '6' }), 5000)
    assert.equal(parseEpoch(undefined, { 'build-arg:SOURCE_DATE_EPOCH': '6' }), 6000)
    assert.equal(parseEpoch('', { 'build-arg:SOURCE_DATE_EPOCH': '6' }), 'none')
    assert.equal(parseEpoch(undefined, {}), undefined)
    assert.equal(parseEpoch(undefined, { 'build-arg:SOURCE_DATE_EPOCH': 'context' }), undefined, 'the frontend knows')
    assert.throws(() => parseEpoch('yesterday', {}), /invalid SOURCE_DATE_EPOCH: yesterday/)
    assert.throws(() => parseEpoch('253402300800', {}), /invalid SOURCE_DATE_EPOCH/, 'the year 10000')
  })
})

describe('parseProvenance', () => {
  const parse = (text: string): ReturnType<typeof parseProvenance> => parseProvenance({ 'attest:provenance': text })

  it('reads what buildx writes', () => {
    assert.equal(parseProvenance({}), undefined)
    assert.equal(parse('disabled=true'), undefined)
    assert.deepEqual(parse(''), { mode: 'max', version: 'v0.2', inlineOnly: false, reproducible: false, builderId: undefined })
    assert.deepEqual(parse('mode=min,inline-only=true'), {
      mode: 'min',
      version: 'v0.2',
      inlineOnly: true,
      reproducible: false,
      builderId: undefined,
    })
    assert.deepEqual(parse('version=v1,builder-id=https://me,reproducible=true'), {
      mode: 'max',
      version: 'v1',
      inlineOnly: false,
      reproducible: true,
      builderId: 'https://me',
    })
    assert.throws(() => parse('mode=some'), /invalid mode "some"/)
    assert.throws(() => parse('version=v9'), /invalid SLSA provenance version "v9"/)
  })
})
