/** Dockerfiles of strangers: they get what the client grants, and cannot keep the daemon from its work. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { tar, type TarEntry } from '../../harness/tar.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

/** What `POST /build` tells. */
async function build(dockerfile: string, options: { query?: string; files?: readonly TarEntry[] } = {}): Promise<string> {
  const archive = tar([{ name: 'Dockerfile', data: Buffer.from(dockerfile) }, ...(options.files ?? [])])
  const reply = await engine.request('POST', `/build?${options.query ?? ''}`, archive, { 'Content-Type': 'application/x-tar' })
  return reply.text
}

test('a Dockerfile gets the network of the host only when the client wants it', async () => {
  const dockerfile = 'FROM starter\nRUN --network=host true\n'
  assert.match(await build(dockerfile), /network\.host is not allowed/)
  assert.match(await build(dockerfile, { query: 'networkmode=host' }), /Successfully built/)
  assert.match(await build('FROM starter\nRUN ls /sys/class/net\n', { query: 'networkmode=host' }), /Successfully built/)
})

test('one line cannot fill the memory, nor keep the daemon busy', async () => {
  const long = `ARG A=${'a'.repeat(60_000)}\nARG B=$A$A$A$A\n`
  const hostile = [
    `FROM starter\nEXPOSE ${'1-65535 '.repeat(8000)}\n`,
    `${long}${'ARG C=$B\n'.repeat(500)}FROM starter\n`,
    `${long}FROM starter\nARG B\nLABEL a=\${B//a*b/x}\n`,
  ]
  for (const dockerfile of hostile) {
    const started = performance.now()
    assert.match(await build(dockerfile), /takes too much work to be read/)
    assert.ok(performance.now() - started < 60_000)
  }
})

test('patterns with many wildcards are answered at once', async () => {
  const files = [{ name: 'a'.repeat(200), data: Buffer.from('x') }]
  const pattern = `${'*a'.repeat(30)}*b`
  assert.match(await build(`FROM starter\nCOPY ${pattern} /x/\n`, { files }), /Successfully built/)
  assert.match(await build(`FROM starter\nCOPY --exclude=${pattern} . /x/\n`, { files }), /Successfully built/)
  assert.match(
    await build('FROM starter\nCOPY . /x/\n', { files: [...files, { name: '.dockerignore', data: Buffer.from(pattern) }] }),
    /Successfully built/,
  )
})
