/** Builds and containers for arm64 on amd64: Debian's qemu-user-static is registered in this guest as its package does it. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { engine } from './shared-engine.ts'

const PROGRAM = '/opt/gantry/busybox-arm64'
const skip = existsSync(PROGRAM) ? false : 'programs for arm64 could not be fetched'

const ARM64 = JSON.stringify({ os: 'linux', architecture: 'arm64' })

/**
 * The first thing that runs of the last stage's base is foreign, without a shell around it: a program that makes its own links. The stage `tools` runs on this
 * machine for either platform.
 */
const DOCKERFILE = `FROM scratch AS base
ARG TARGETARCH
COPY busybox-$TARGETARCH /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]

FROM --platform=$BUILDPLATFORM starter AS tools
ARG BUILDPLATFORM
ARG TARGETPLATFORM
ARG TARGETARCH
ARG TARGETVARIANT
RUN echo "$(uname -m): on $BUILDPLATFORM for $TARGETPLATFORM, $TARGETARCH [$TARGETVARIANT]" > /made

FROM base
COPY --from=tools /made /made
RUN uname -m > /ran
`

/** What the kernel reads of a program for s390x. Source: elf(5). */
const FOREIGN_PROGRAM = Buffer.from('7f454c460202010000000000000000000002001600000001', 'hex')

function contextWith(files: Readonly<Record<string, string | Buffer>>): Disposable & { path: string } {
  const path = mkdtempSync('/tmp/context-')
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content, { mode: 0o755 })
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

test('two platforms are built at once, steps for the foreign one by its emulator', { skip }, () => {
  const programs = { 'busybox-amd64': readFileSync('/bin/busybox'), 'busybox-arm64': readFileSync(PROGRAM) }
  using context = contextWith({ Dockerfile: DOCKERFILE, ...programs })
  const flags = ['--platform=linux/amd64,linux/arm64', '--provenance=mode=max', '--output=type=image,name=app,compression=uncompressed']
  const built = spawnSync('/opt/gantry/bin/gantry', ['--host', engine.address, 'build', ...flags, context.path], { encoding: 'utf8' })
  assert.equal(built.status, 0, built.stderr)
})

test('a container of either platform finds its own files', { skip }, async () => {
  const made = 'x86_64: on linux/amd64 for'
  const arm64 = await engine.run(['cat', '/made', '/ran'], {}, { image: 'app', platform: 'linux/arm64' })
  assert.equal(arm64.output, `${made} linux/arm64, arm64 []\naarch64\n`)
  const amd64 = await engine.run(['cat', '/made', '/ran'], {}, { image: 'app' })
  assert.equal(amd64.output, `${made} linux/amd64, amd64 []\nx86_64\n`)
  await engine.remove(arm64.id)
  await engine.remove(amd64.id)
})

test('an image tells its architecture for each platform', { skip }, async () => {
  const foreign = await engine.call('GET', `/images/app/json?platform=${ARM64}`)
  const own = await engine.call('GET', '/images/app/json')
  assert.deepEqual([foreign.Architecture, foreign.Variant, own.Architecture], ['arm64', undefined, 'amd64'])
  assert.notEqual(foreign.Id, own.Id)
})

test('provenance of each platform is about its image', { skip }, async () => {
  const root = mkdtempSync('/tmp/saved-')
  try {
    execFileSync('tar', ['-x', '-C', root], { input: await engine.call('GET', '/images/app/get') })
    const read = (digest: string): any => JSON.parse(readFileSync(join(root, 'blobs/sha256', digest.slice('sha256:'.length)), 'utf8'))
    const [{ digest }] = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')).manifests
    const [amd64, arm64, ...statements] = read(digest).manifests
    const platforms = [amd64, arm64].map(({ platform }) => `${platform.os}/${platform.architecture}`)
    assert.deepEqual(platforms, ['linux/amd64', 'linux/arm64'])
    const [ofAmd64, ofArm64] = statements.map((entry: any) => read(read(entry.digest).layers[0].digest))
    const subjects = [ofAmd64, ofArm64].map(({ subject: [{ name, digest: is }] }) => ({ name, digest: `sha256:${is.sha256}` }))
    assert.deepEqual(subjects, [
      { name: 'pkg:docker/app@latest?platform=linux%2Famd64', digest: amd64.digest },
      { name: 'pkg:docker/app@latest?platform=linux%2Farm64', digest: arm64.digest },
    ])
    const foreign = JSON.stringify(ofArm64.predicate.buildConfig)
    assert.ok(foreign.includes('busybox-arm64') && !foreign.includes('busybox-amd64'), foreign)
    // The one base image of either is for the machine that built.
    assert.deepEqual(ofArm64.predicate.materials, ofAmd64.predicate.materials)
    assert.equal(ofArm64.predicate.materials[0].uri, 'pkg:docker/starter@latest?platform=linux%2Famd64')
    assert.equal(ofArm64.predicate.invocation.environment.platform, 'linux/amd64')
  } finally {
    rmSync(root, { recursive: true })
  }
})

test('a platform without an emulator is refused by name', async () => {
  using context = contextWith({ Dockerfile: 'FROM scratch\nCOPY program /\nRUN ["/program"]\n', program: FOREIGN_PROGRAM })
  const archive = execFileSync('tar', ['-c', '-C', context.path, '.'])
  const lines = await engine.call('POST', '/build?platform=linux/s390x', archive)
  assert.match(lines.at(-1).error, /^exec format error: this machine cannot run programs for linux\/s390x/)
})

test('a container of a program that nothing here runs says so', async () => {
  using context = contextWith({ program: FOREIGN_PROGRAM })
  const archive = execFileSync('tar', ['-c', '-C', context.path, '.'])
  await engine.call('POST', '/images/create?fromSrc=-&repo=foreign&platform=linux/s390x', archive)
  await assert.rejects(engine.run(['/program'], {}, { image: 'foreign' }), /exec \/program: exec format error/)
})
