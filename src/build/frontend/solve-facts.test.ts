import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fakeBuild } from './testing/fake-host.ts'

describe('solveDockerfile with its host', () => {
  test('asks for a base once for each platform, with full name and mode', async () => {
    const { requests } = await fakeBuild(
      'FROM alpine AS a\nFROM alpine@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d\nCOPY --from=a / /\n',
      {
        options: { 'image-resolve-mode': 'pull', platform: 'linux/arm64' },
      },
    )
    const platform = { os: 'linux', architecture: 'arm64' }
    const digest = '@sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d'
    assert.deepEqual(
      requests,
      ['docker.io/library/alpine:latest', `docker.io/library/alpine${digest}`].map((reference) => ({
        reference,
        platform,
        resolveMode: 'pull',
        name: `[internal] load metadata for ${reference}`,
      })),
    )
  })

  test('tells for which platform it asks when there are several', async () => {
    const { requests } = await fakeBuild('FROM alpine\n', { options: { platform: 'linux/amd64,linux/arm/v6' } })
    assert.deepEqual(
      requests.map(({ name }) => name),
      ['linux/amd64', 'linux/arm/v6'].map((platform) => `[${platform} internal] load metadata for docker.io/library/alpine:latest`),
    )
  })

  test('looks for variables that are meant only as long as somebody is told of it', async () => {
    const variables = Array.from({ length: 400 }, (_, i) => `ENV v${i.toString(36).padStart(4, 'q')}=1\n`).join('')
    const unset = Array.from({ length: 12_000 }, (_, i) => `$z${i.toString(36).padStart(4, 'q')}`).join('')
    const start = performance.now()
    const { warnings } = await fakeBuild(`FROM scratch\n${variables}${`ENV x=${unset.slice(0, 60_000)}\n`.repeat(5)}`)
    // Each of them compared with each variable would take half a minute.
    assert.ok(performance.now() - start < 20_000)
    assert.equal(warnings.length, 1000)
  })

  test('makes no graph for stages that are not needed, and asks nothing about them', async () => {
    const { requests } = await fakeBuild('FROM debian AS unused\nRUN a\nFROM scratch\nCOPY a /\n')
    assert.deepEqual(requests, [])
  })

  test('gives equal steps of two platforms the same vertex', async () => {
    const { result } = await fakeBuild('FROM --platform=$BUILDPLATFORM alpine AS a\nRUN x\nFROM scratch\nCOPY --from=a / /\n', {
      options: { platform: 'linux/amd64,linux/arm64' },
    })
    const [one, two] = result.images
    assert.equal(one?.edge?.vertex.id, two?.edge?.vertex.id)
    assert.deepEqual([one?.id, two?.id, result.multiPlatform], ['linux/amd64', 'linux/arm64', true])
  })

  test('names the vertex of each instruction, in the order of the file', async () => {
    const { result } = await fakeBuild('ARG A=1\nFROM scratch AS one\nCOPY a /\nENV B=1\nFROM one\nWORKDIR /\nWORKDIR /x\n')
    const steps = result.images[0]?.steps ?? []
    const [copy, workdir] = steps.filter(({ vertex }) => vertex !== undefined)
    assert.deepEqual(
      steps.map(({ text, vertex }) => `${text}${vertex === undefined ? '' : ' *'}`),
      ['ARG A=1', 'FROM scratch AS one', 'COPY a / *', 'ENV B=1', 'FROM one', 'WORKDIR /', 'WORKDIR /x *'],
    )
    const edge = result.images[0]?.edge
    assert.equal(edge?.vertex.id, workdir?.vertex)
    assert.equal(edge?.vertex.inputs[0]?.vertex.id, copy?.vertex)
  })

  test('gives an empty file system for a Dockerfile that adds nothing', async () => {
    const { result } = await fakeBuild('FROM scratch\nLABEL a=b\n')
    assert.equal(result.images[0]?.edge, undefined)
    assert.deepEqual(result.images[0]?.config?.config?.Labels, { a: 'b' })
  })

  test('tells what it has found even when the build fails', async () => {
    const warnings: { short: string }[] = []
    await assert.rejects(fakeBuild('FROM alpine\nMAINTAINER me\nCOPY --from=7 / /\n', { warnings: warnings as [] }))
    assert.match(warnings[0]?.short ?? '', /^MaintainerDeprecated/)
  })

  test('refuses to run nothing', async () => {
    await assert.rejects(fakeBuild('FROM scratch\nRUN []\n'), { name: 'BuildError', message: 'arguments are required' })
  })

  test('says which devices a step asks for, as they are written', async () => {
    const { result } = await fakeBuild('FROM alpine\nRUN --device=v.com/x=y --device=name=v.com/z,required a\nRUN b\n')
    const last = result.images[0]?.edge?.vertex
    const first = last?.inputs[0]?.vertex
    assert.equal(last?.op.kind === 'exec' && last.op.devices, undefined)
    assert.deepEqual(first?.op.kind === 'exec' && first.op.devices, [
      { name: 'v.com/x=y', optional: true },
      { name: 'v.com/z', optional: false },
    ])
  })

  test('follows stages deeper than the stack', async () => {
    const stages = Array.from({ length: 1000 }, (_, i) => `FROM ${i === 0 ? 'scratch' : `s${i - 1}`} AS s${i}\n${'COPY a /\n'.repeat(5)}`)
    const { result } = await fakeBuild(stages.join(''))
    let depth = 0
    for (let vertex = result.images[0]?.edge?.vertex; vertex?.op.kind === 'file'; vertex = vertex.inputs[0]?.vertex) depth++
    assert.equal(depth, 5000)
  })

  test('refuses what would keep the daemon busy', async () => {
    const lines = (count: number, line: (index: number) => string): string =>
      `FROM scratch\n${Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('')}`
    await assert.rejects(fakeBuild(lines(10_001, () => 'USER a')), { message: 'more than 10000 instructions' })
    await assert.rejects(fakeBuild(lines(1000, () => 'FROM scratch')), { message: 'more than 1000 stages' })
    await assert.rejects(fakeBuild(lines(2048, (index) => `ENV V${index}=`)), { message: 'more than 2048 variables' })
    await assert.rejects(fakeBuild(lines(1001, (index) => `COPY --from=image${index} a /`)), { message: 'more than 1000 stages' })
    const config = { config: { Labels: { a: 'a'.repeat(1_000_000) } } }
    const bases = Array.from({ length: 100 }, (_, index) => index)
    const large = `${bases.map(() => 'FROM large\n').join('')}FROM scratch\n${bases.map((index) => `COPY --from=${index} / /\n`).join('')}`
    const tooMuch = { code: 'INVALID_ARGUMENT', message: /takes too much work to be read/ }
    await assert.rejects(fakeBuild(large, { images: { 'docker.io/library/large:latest': config } }), tooMuch)
    const long = `ARG A=${'a'.repeat(60_000)}\n`
    await assert.rejects(fakeBuild(`FROM scratch\n${long}${'RUN a\n'.repeat(200)}`), { message: /^the image's history has more than / })
    const laugh = `ARG A=${'a'.repeat(60_000)}\nARG B=$A$A$A$A\n`
    const busy = [
      `${laugh}${'ARG C=$B\n'.repeat(500)}FROM scratch\n`,
      `${laugh}FROM scratch\nARG B\nUSER \${B//a*b/x}\n`,
      `${laugh}FROM scratch\nARG B\nLABEL ${'x=${Z:+$B} '.repeat(300)}\n`,
      `FROM scratch\nCOPY ${'--exclude=a '.repeat(1000)}${'a '.repeat(2000)}/x/\n`,
      `FROM scratch\nEXPOSE ${'1-65535 '.repeat(1000)}\n`,
      `FROM scratch\nENV A=${'a'.repeat(60_000)}\nENV B=$A$A$A$A C=$A$A$A$A\n${'RUN a\n'.repeat(200)}`,
      `${laugh}FROM scratch AS s0\nARG B\nLABEL b=$B\n${Array.from({ length: 300 }, (_, index) => `FROM s${index} AS s${index + 1}\n`).join('')}`,
    ]
    for (const text of busy) await assert.rejects(fakeBuild(text), tooMuch)
    const { warnings } = await fakeBuild(lines(1100, (index) => `USER $NOPE${index}`))
    assert.equal(warnings.length, 1000)
  })
})
