/** `POST /build?version=2`, as SDKs send it: progress in BuildKit's messages, and the image's id at the end. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Engine } from '../../harness/index.ts'
import { tar } from '../../harness/tar.ts'

let engine: Engine
before(async () => {
  engine = await Engine.start()
  engine.loadStarter()
})
after(() => engine?.[Symbol.asyncDispose]())

async function build(query: string, dockerfile: string): Promise<Record<string, unknown>[]> {
  const archive = tar([{ name: 'Dockerfile', data: Buffer.from(dockerfile) }])
  const { status, text } = await engine.request('POST', `/build?version=2&${query}`, archive, { 'Content-Type': 'application/x-tar' })
  assert.equal(status, 200, text)
  return text
    .trim()
    .split('\r\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a build without session tells its trace and gives the id', async () => {
  const lines = await build('t=second:1&labels={"a":"b"}', 'FROM starter\nRUN echo traced\n')
  const trace = lines
    .filter(({ id }) => id === 'moby.buildkit.trace')
    .map(({ aux }) => Buffer.from(String(aux), 'base64').toString('latin1'))
  assert.match(trace.join(''), /\[2\/2\] RUN echo traced/)
  assert.match(trace.join(''), /traced\n/)
  const [last] = lines.slice(-1)
  assert.deepEqual(last, { id: 'moby.image.id', aux: { ID: engine.mustDocker('inspect', '-f', '{{.Id}}', 'second:1') } })
  assert.equal(engine.mustDocker('inspect', '-f', '{{.Config.Labels.a}}', 'second:1'), 'b')
})

test('a quiet build tells its id and nothing else', async () => {
  const lines = await build('t=quiet:1&q=1', 'FROM starter\nRUN echo loud\n')
  const id = engine.mustDocker('inspect', '-f', '{{.Id}}', 'quiet:1')
  assert.deepEqual(lines, [{ id: 'moby.image.id', aux: { ID: id } }, { stream: `${id}\n` }])
})

test('a failure ends the stream, after what was told before', async () => {
  const lines = await build('', 'FROM starter\nRUN exit 9\n')
  assert.match(String(lines.at(-1)?.['error']), /exit code: 9/)
})
