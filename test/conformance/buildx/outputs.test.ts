/** Where results go: the engine's store, directories and archives of the client, and files that say what was made. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { must, withEachBuildx } from './buildx.ts'

const DOCKERFILE = `FROM starter AS build
RUN mkdir -p /out/bin && echo program > /out/bin/app && chmod 755 /out/bin/app && ln -s app /out/bin/link && chmod 700 /out
FROM scratch
COPY --from=build /out /
`

const SCANNED = `FROM starter AS build
ARG BUILDKIT_SBOM_SCAN_STAGE=true
RUN mkdir /out && echo program > /out/app
FROM scratch
COPY --from=build /out /
`

/** By the protocol of BuildKit's scanners; it lists file names. */
const SCANNER = `set -e
for source in $BUILDKIT_SCAN_SOURCE $BUILDKIT_SCAN_SOURCE_EXTRAS/*; do
  name=$(basename $source)
  files=$(ls $source | tr '\\n' ' ')
  echo '{"predicateType":"https://spdx.dev/Document","predicate":{"name":"'$name'","files":"'"$files"'"}}' > $BUILDKIT_SCAN_DESTINATION/$name.spdx.json
done
`

withEachBuildx((buildx) => {
  test('build puts an image into the store, and writes its id and metadata', () => {
    const { engine, isNew, project } = buildx()
    const context = project({ Dockerfile: 'FROM starter\nRUN echo made > /made\nCMD ["cat", "/made"]\n' })
    const [idFile, metadataFile] = [join(context, 'id'), join(context, 'metadata.json')]
    const progress = must(buildx(), ['build', '-t', 'made:1', '--iidfile', idFile, '--metadata-file', metadataFile, context])
    assert.match(progress, /\[2\/2\] RUN echo made > \/made/)
    assert.match(progress, /naming to docker\.io\/library\/made:1/)
    assert.equal(engine.mustDocker('run', '--rm', 'made:1'), 'made')
    const metadata = JSON.parse(readFileSync(metadataFile, 'utf8')) as Record<string, string> & {
      'buildx.build.provenance'?: { buildType: string }
    }
    if (isNew) assert.equal(metadata['buildx.build.provenance']?.buildType, 'https://mobyproject.org/buildkit@v1')
    assert.equal(readFileSync(idFile, 'utf8'), engine.mustDocker('image', 'inspect', '-f', '{{.Id}}', 'made:1'))
    assert.equal(metadata['containerimage.digest'], readFileSync(idFile, 'utf8'))
    assert.equal(metadata['image.name'], 'docker.io/library/made:1')
  })

  test('a directory of the client gets the tree, with its modes and links', () => {
    const context = buildx().project({ Dockerfile: DOCKERFILE })
    const destination = join(context, 'out')
    must(buildx(), ['build', '-o', `type=local,dest=${destination}`, context])
    assert.equal(readFileSync(join(destination, 'bin/link'), 'utf8'), 'program\n')
    assert.equal(statSync(join(destination, 'bin/app')).mode & 0o777, 0o755)
  })

  test('a tar archive of the client has the tree', () => {
    const context = buildx().project({ Dockerfile: DOCKERFILE })
    const archive = join(context, 'out.tar')
    must(buildx(), ['build', '-o', `type=tar,dest=${archive}`, context])
    const { stdout } = spawnSync('tar', ['tvf', archive], { encoding: 'utf8' })
    assert.match(stdout, /^-rwxr-xr-x 0\/0 .* bin\/app$/m)
    assert.match(stdout, /bin\/link -> app$/m)
  })

  test('an archive for docker load can be loaded, one of OCI has an index', () => {
    const { engine, project } = buildx()
    const context = project({ Dockerfile: 'FROM starter\nRUN echo x > /x\n' })
    const [docker, oci] = [join(context, 'docker.tar'), join(context, 'oci.tar')]
    must(buildx(), ['build', '-o', `type=docker,dest=${docker},name=from/archive:1`, context])
    assert.match(engine.mustDocker('load', '-i', docker), /from\/archive:1/)
    assert.equal(engine.mustDocker('run', '--rm', 'from/archive:1', 'cat', '/x'), 'x')
    must(buildx(), ['build', '-o', `type=oci,dest=${oci}`, context])
    assert.match(spawnSync('tar', ['tf', oci], { encoding: 'utf8' }).stdout, /^index\.json$/m)
  })

  test('several outputs of one build go where each belongs', () => {
    const context = buildx().project({ Dockerfile: DOCKERFILE })
    const [archive, destination] = [join(context, 'out.tar'), join(context, 'out')]
    must(buildx(), ['build', '-o', `type=tar,dest=${archive}`, '-o', `type=local,dest=${destination}`, context])
    assert.ok(existsSync(join(destination, 'bin/app')))
    assert.match(spawnSync('tar', ['tf', archive], { encoding: 'utf8' }).stdout, /^bin\/app$/m)
  })

  test('a scanner in an image tells what the result, and stages that ask for it, are made of', async () => {
    const { engine, project } = buildx()
    must(buildx(), ['build', '-t', 'scanner', project({ Dockerfile: 'FROM starter\nCOPY scan /\nCMD ["sh", "/scan"]\n', scan: SCANNER })])
    const context = project({ Dockerfile: SCANNED })
    const [destination, archive] = [join(context, 'out'), join(context, 'out.tar')]
    const outputs = ['-o', `type=local,dest=${destination}`, '-o', `type=oci,dest=${archive}`, '-o', 'type=image,name=scanned']
    const progress = must(buildx(), ['build', '--sbom=generator=scanner', ...outputs, context])
    assert.match(progress, /\[linux\/amd64\] generating sbom using docker\.io\/library\/scanner:latest/)
    const read = (name: string): any => JSON.parse(readFileSync(join(destination, name), 'utf8'))
    assert.deepEqual(read('sbom.spdx.json').predicate, { name: 'sbom', files: 'app ' })
    assert.match(read('sbom-build.spdx.json').predicate.files, /\bbin\b.*\bout\b/)
    assert.equal(read('sbom.spdx.json').subject[0].name, 'app')
    const { stdout } = spawnSync('tar', ['xOf', archive], { encoding: 'utf8' })
    assert.equal(stdout.match(/"predicateType":"https:\/\/spdx\.dev\/Document"/g)?.length, 2)
    const { Manifests } = (await engine.request('GET', '/images/scanned/json?manifests=1')).json
    assert.deepEqual(Manifests.map(({ Kind }: { Kind: string }) => Kind).sort(), ['attestation', 'image'])
  })

  test('--load takes images of several platforms', () => {
    const { engine, project } = buildx()
    const context = project({ Dockerfile: 'FROM scratch\nCOPY Dockerfile /\nARG TARGETARCH\nLABEL for=$TARGETARCH\n' })
    must(buildx(), ['build', '-t', 'loaded', '--load', '--platform', 'linux/amd64,linux/arm64', context])
    const label = (platform: string): string =>
      engine.mustDocker('image', 'inspect', '--platform', platform, '-f', '{{.Config.Labels.for}}', 'loaded')
    assert.deepEqual([label('linux/amd64'), label('linux/arm64')], ['amd64', 'arm64'])
  })

  test('provenance makes an index of the image and its attestation', () => {
    const { engine, project } = buildx()
    const context = project({ Dockerfile: 'FROM starter\nRUN echo proven\n' })
    must(buildx(), ['build', '-t', 'proven', '--load', '--provenance=mode=max', context])
    assert.equal(engine.mustDocker('run', '--rm', 'proven', 'echo', 'runs'), 'runs')
  })
})
