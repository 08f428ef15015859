/** Contexts, archives and images that try to get out of where they belong, by both doors. A canary on the host tells. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { tar, type TarEntry } from '../../harness/tar.ts'

let engine: Engine
let canary: string

before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
  canary = mkdtempSync(join(tmpdir(), 'canary-'))
  writeFileSync(join(canary, 'secret'), 'the host’s own\n')
})
after(async () => {
  rmSync(canary, { recursive: true, force: true })
  await engine?.[Symbol.asyncDispose]()
})

/** Answer of `POST /build` for a context of these entries. */
async function build(
  tag: string,
  dockerfile: string,
  entries: readonly TarEntry[],
): Promise<{ status: number; text: string; failed: boolean }> {
  const archive = tar([{ name: 'Dockerfile', data: Buffer.from(dockerfile) }, ...entries])
  const { status, text } = await engine.request('POST', `/build?t=${tag}`, archive, { 'Content-Type': 'application/x-tar' })
  return { status, text, failed: status !== 200 || text.includes('"error"') }
}

function assertCanary(): void {
  assert.equal(readFileSync(join(canary, 'secret'), 'utf8'), 'the host’s own\n')
  for (const name of ['planted', 'etc']) assert.equal(existsSync(join(canary, name)), false, name)
}

function show(tag: string, ...command: string[]): string {
  return engine.mustDocker('run', '--rm', tag, ...command)
}

test('a link of the context that leaves it is copied as a link, and never read through', async () => {
  const links: TarEntry[] = [
    { name: 'absolute', type: 'symlink', link: join(canary, 'secret') },
    { name: 'relative', type: 'symlink', link: `../../../../../../../..${canary}/secret` },
    { name: 'directory', type: 'symlink', link: canary },
  ]
  await build('links', 'FROM starter\nCOPY . /all/\n', links)
  assert.equal(show('links', 'readlink', '/all/absolute'), join(canary, 'secret'))
  for (const source of ['absolute', 'relative', 'directory/secret', 'directory/../../../../../../..' + canary + '/secret']) {
    const { failed, text } = await build('escaped', `FROM starter\nCOPY ${source} /out\n`, links)
    assert.ok(failed, text)
    assert.match(text, /not found|no such file/)
    assert.doesNotMatch(text, /the host’s own/)
  }
  const bound = await build(
    'bound',
    `FROM starter\nRUN --mount=type=bind,target=/ctx cat /ctx/absolute /ctx/directory/secret; true\n`,
    links,
  )
  assert.doesNotMatch(bound.text, /the host’s own/)
  assertCanary()
})

test('links of a directory that a client sends are not followed out of it either', () => {
  const directory = join(engine.directory, 'hostile-context')
  mkdirSync(directory)
  symlinkSync(join(canary, 'secret'), join(directory, 'absolute'))
  symlinkSync(canary, join(directory, 'directory'))
  for (const source of ['absolute', 'directory/secret']) {
    writeFileSync(join(directory, 'Dockerfile'), `FROM starter\nCOPY ${source} /out\n`)
    const { status, stderr } = engine.gantry(['build', directory])
    assert.equal(status, 1, stderr)
    assert.match(stderr, /not found|no such file/)
  }
  assertCanary()
})

test('COPY and ADD through links in the target stay in the image', async () => {
  const dockerfile = `
FROM starter
RUN ln -s ${canary} /out && ln -s ../../../../../..${canary} /up && ln -s /proc/1/root${canary} /proc-link
COPY planted /out/planted
COPY planted /up/planted
COPY planted /proc-link/planted
ADD planted.tar /out/
WORKDIR /out/etc
RUN ls ${canary}
`
  const planted: TarEntry[] = [
    { name: 'planted', data: Buffer.from('planted') },
    { name: 'planted.tar', data: tar([{ name: 'etc/planted', data: Buffer.from('x') }]) },
  ]
  const { text, failed } = await build('targets', dockerfile, planted)
  assertCanary()
  if (!failed) assert.match(text, /planted/)
})

test('archives with traversal unpack inside, or not at all', async () => {
  const inner: Record<string, TarEntry[]> = {
    'dot-dot': [{ name: '../../../../../../../../..' + canary + '/planted', data: Buffer.from('x') }],
    absolute: [{ name: `${canary}/planted`, data: Buffer.from('x') }],
    'through a link': [
      { name: 'link', type: 'symlink', link: canary },
      { name: 'link/planted', data: Buffer.from('x') },
    ],
    'hard link': [
      { name: 'hard', type: 'link', link: join(canary, 'secret') },
      { name: 'hard', data: Buffer.from('overwritten') },
    ],
  }
  for (const [what, entries] of Object.entries(inner)) {
    await build('archive', 'FROM starter\nADD evil.tar /unpacked/\n', [{ name: 'evil.tar', data: tar(entries) }])
    assertCanary()
    assert.ok(existsSync(canary), what)
  }
})

test('contexts with traversal are refused, and leave nothing', async () => {
  for (const entry of [
    { name: '../../../../../../../../../..' + canary + '/planted', data: Buffer.from('x') },
    { name: `${canary}/planted`, data: Buffer.from('x') },
  ]) {
    await build('context', 'FROM starter\nCOPY . /x\n', [entry])
    await build('context', 'FROM starter\nCOPY . /x\n', [
      { name: 'link', type: 'symlink', link: canary },
      { name: 'link/planted', data: Buffer.from('x') },
    ])
    assertCanary()
  }
})

test('a Dockerfile may not lie outside of the context', async () => {
  for (const path of ['../../../../../../..' + canary + '/secret', `${canary}/secret`, 'link']) {
    const archive = tar([{ name: 'link', type: 'symlink', link: join(canary, 'secret') }])
    const { status, text } = await engine.request('POST', `/build?dockerfile=${encodeURIComponent(path)}`, archive, {
      'Content-Type': 'application/x-tar',
    })
    assert.ok(status !== 200 || text.includes('"error"'), path)
    assert.doesNotMatch(text, /the host’s own/)
  }
})
