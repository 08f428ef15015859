import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseScanner } from './scanner.ts'
import { fakeBuild } from './testing/fake-host.ts'
import { graphText } from './testing/graph-text.ts'

const SCANNER = 'docker.io/library/scanner:latest'
const DOCKERFILE = `ARG BUILDKIT_SBOM_SCAN_CONTEXT=true
FROM alpine AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
COPY . /src
FROM alpine AS other
ARG BUILDKIT_SBOM_SCAN_STAGE=build,last
RUN make
FROM scratch
COPY --from=build /src /src
COPY --from=other /made /made
`

describe('parseScanner', () => {
  it('has a scanner that is known to all where none is named', () => {
    for (const text of ['', 'true']) {
      assert.deepEqual(parseScanner(text), { reference: 'docker.io/docker/buildkit-syft-scanner:stable-1', parameters: [] })
    }
  })

  it('gives further attributes to the scanner', () => {
    assert.deepEqual(parseScanner('type=sbom,generator=example.org/scan,"SELECT=a,b"'), {
      reference: 'example.org/scan:latest',
      parameters: [['SELECT', 'a,b']],
    })
  })

  it('wants none where nobody asks, or somebody asks for none', () => {
    for (const text of [undefined, 'false', 'disabled=true', 'generator=x,disabled=1']) assert.equal(parseScanner(text), undefined)
  })

  it('refuses what is no image', () => {
    assert.throws(() => parseScanner('generator='), { code: 'INVALID_ARGUMENT', message: 'sbom scanner cannot be empty' })
    assert.throws(() => parseScanner('generator=A:B:C'), { code: 'INVALID_ARGUMENT', message: /^failed to parse sbom scanner A:B:C: / })
  })
})

describe('solveDockerfile with a scanner', () => {
  it('runs it over the result, the context and the stages that ask for it', async () => {
    const { result, requests } = await fakeBuild(DOCKERFILE, {
      options: { 'attest:sbom': 'generator=scanner,DEEP=1' },
      images: { [SCANNER]: { config: { Entrypoint: ['/scan'], Cmd: ['all'], Env: ['LEVEL=2'], WorkingDir: '/work' } } },
    })
    const [image] = result.images
    const op = image?.statements?.vertex.op
    assert.ok(op?.kind === 'exec')
    assert.deepEqual([op.args, op.cwd], [['/scan', 'all'], '/work'])
    assert.deepEqual(op.env, [
      'LEVEL=2',
      'BUILDKIT_SCAN_DESTINATION=/run/out/',
      'BUILDKIT_SCAN_SOURCE=/run/src/core/sbom',
      'BUILDKIT_SCAN_SOURCE_EXTRAS=/run/src/extras',
      'BUILDKIT_SCAN_DEEP=1',
    ])
    const shown = op.mounts.flatMap((mount) => (mount.type === 'bind' && mount.readonly ? mount : []))
    const inputs = image?.statements?.vertex.inputs ?? []
    assert.deepEqual(
      shown.map(({ target, input }) => [target, inputs[input]?.vertex.meta.name]),
      [
        ['/run/src/core/sbom', '[stage-2 2/2] COPY --from=other /made /made'],
        ['/run/src/extras/sbom-build', '[build 2/2] COPY . /src'],
        ['/run/src/extras/sbom-context', '[internal] load build context'],
      ],
    )
    assert.equal(image?.statements?.vertex.meta.name, `[linux/amd64] generating sbom using ${SCANNER}`)
    // What is built is the same with and without.
    const { result: plain } = await fakeBuild(DOCKERFILE)
    assert.equal(graphText(image?.edge), graphText(plain.images[0]?.edge))
    assert.ok(requests.some(({ reference }) => reference === SCANNER))
  })

  it('refuses an image without a program', async () => {
    const world = { options: { 'attest:sbom': 'generator=scanner' }, images: { [SCANNER]: { config: {} } } }
    await assert.rejects(fakeBuild('FROM alpine\n', world), { code: 'INVALID_ARGUMENT', message: `scanner ${SCANNER} does not have cmd` })
  })

  it('asks for no image where only a question is answered', async () => {
    const { requests } = await fakeBuild('FROM scratch\n', { options: { 'attest:sbom': '', requestid: 'frontend.targets' } })
    assert.deepEqual(requests, [])
  })
})
