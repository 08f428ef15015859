import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { deferred, formatNano, parseNano } from '#lib'
import { createLogReader } from './log-reader.ts'
import type { LogReadOptions, LogSource } from './types.ts'

const T0 = parseNano('2024-05-06T07:08:09Z')
const DEFAULTS: LogReadOptions = { stdout: true, stderr: true, follow: false, timestamps: false, details: false, framed: false }

/** Line `n` is written `n` seconds after T0. */
function line(n: number, options: { text?: string; stream?: string; attrs?: string } = {}): string {
  const { text = `line ${n}\n`, stream = 'stdout', attrs } = options
  const extra = attrs === undefined ? '' : `,"attrs":${attrs}`
  return `{"log":${JSON.stringify(text)},"stream":"${stream}"${extra},"time":"${formatNano(T0 + BigInt(n) * 1_000_000_000n)}"}\n`
}

function lines(from: number, to: number): string {
  let text = ''
  for (let n = from; n <= to; n++) text += line(n)
  return text
}

function expected(from: number, to: number): string {
  let text = ''
  for (let n = from; n <= to; n++) text += `line ${n}\n`
  return text
}

function makeSource(t: TestContext, ended: Promise<void> = Promise.resolve()): LogSource {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-logs-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return { path: join(directory, 'x-json.log'), maxFile: 3, ended }
}

async function readAll(source: LogSource, options: Partial<LogReadOptions> = {}): Promise<string> {
  const batches: Buffer[] = []
  for await (const batch of createLogReader().read(source, { ...DEFAULTS, ...options })) batches.push(batch)
  return Buffer.concat(batches).toString('utf8')
}

/** Descriptors of this process that point below `path`. */
function openDescriptors(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => linkTarget(fd).startsWith(path)).length
}

function linkTarget(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } catch {
    return ''
  }
}

/** Reads a follower in the background; `until` waits for the text to end with what is given. */
function startFollower(source: LogSource, options: Partial<LogReadOptions> = {}, signal?: AbortSignal) {
  let text = ''
  let wake = deferred()
  const done = (async () => {
    for await (const batch of createLogReader().read(source, { ...DEFAULTS, follow: true, ...options }, signal)) {
      text += batch.toString('utf8')
      wake.resolve()
      wake = deferred()
    }
  })()
  return {
    done,
    text: () => text,
    async until(end: string): Promise<void> {
      while (!text.endsWith(end)) await wake.promise
    },
  }
}

test('read gives all lines of rotated files, oldest first', async (t) => {
  const source = makeSource(t)
  writeFileSync(`${source.path}.2`, lines(1, 3))
  writeFileSync(`${source.path}.1`, lines(4, 6))
  writeFileSync(source.path, lines(7, 9))
  assert.equal(await readAll(source), expected(1, 9))
})

test('read of a log that was never written gives nothing', async (t) => {
  const source = makeSource(t)
  assert.equal(await readAll(source), '')
  assert.equal(await readAll(source, { follow: true }), '')
})

test('read leaves out a half-written last line and lines that are no log', async (t) => {
  const source = makeSource(t)
  writeFileSync(source.path, `${line(1)}\0\0\0\0\nnonsense\n${line(2)}${line(3).slice(0, 40)}`)
  assert.equal(await readAll(source), expected(1, 2))
})

test('read passes every byte of text on', async (t) => {
  const source = makeSource(t)
  const text = 'tab\t "quote" \\ back é€😀 \u0001\u2028 <&>\n'
  writeFileSync(
    source.path,
    line(1, { text }) + line(2, { text: 'no newline' }) + line(3, { text: '' }) + line(4, { text: 'x'.repeat(16384) }),
  )
  assert.equal(await readAll(source), `${text}no newline${'x'.repeat(16384)}`)
})

test('read frames each line with stream and length', async (t) => {
  const source = makeSource(t)
  writeFileSync(source.path, line(1, { text: 'out\n' }) + line(2, { text: 'é\n', stream: 'stderr' }))
  const frames = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 4]),
    Buffer.from('out\n'),
    Buffer.from([2, 0, 0, 0, 0, 0, 0, 3]),
    Buffer.from('é\n'),
  ])
  assert.equal(await readAll(source, { framed: true }), frames.toString('utf8'))
  assert.equal(await readAll(source, { stdout: false }), 'é\n')
  assert.equal(await readAll(source, { stderr: false }), 'out\n')
})

test('read puts timestamps, then details, before each line', async (t) => {
  const source = makeSource(t)
  writeFileSync(source.path, line(1, { attrs: '{"b":"two words","a":"1&2"}' }))
  const prefix = '2024-05-06T07:08:10.000000000Z a=1%262,b=two+words '
  assert.equal(await readAll(source, { timestamps: true, details: true }), `${prefix}line 1\n`)
  writeFileSync(source.path, line(1))
  assert.equal(await readAll(source, { details: true }), ' line 1\n')
})

test('read keeps to since and until', async (t) => {
  const source = makeSource(t)
  writeFileSync(`${source.path}.1`, lines(1, 4))
  writeFileSync(source.path, lines(5, 9))
  const at = (n: number) => T0 + BigInt(n) * 1_000_000_000n
  assert.equal(await readAll(source, { since: at(3), until: at(6) }), expected(3, 6))
  assert.equal(await readAll(source, { since: at(3) + 1n, until: at(6) - 1n }), expected(4, 5))
  assert.equal(await readAll(source, { since: at(10) }), '')
  const tenths = ['09Z', '09.1Z', '09.10000001Z', '09.2Z'].map(
    (end, n) => `{"log":"${n}","stream":"stdout","time":"2024-05-06T07:08:${end}"}\n`,
  )
  writeFileSync(`${source.path}.1`, '')
  writeFileSync(source.path, tenths.join(''))
  assert.equal(await readAll(source, { since: T0 + 100_000_000n, until: T0 + 100_000_010n }), '12')
  assert.equal(
    await readAll(source, { since: T0 + 100_000_001n, timestamps: true }),
    '2024-05-06T07:08:09.100000010Z 22024-05-06T07:08:09.200000000Z 3',
  )
  assert.equal(await readAll(source, { until: T0, timestamps: true }), '2024-05-06T07:08:09.000000000Z 0')
})

test('read leaves out rotated files last written before since', async (t) => {
  const source = makeSource(t)
  writeFileSync(`${source.path}.1`, lines(1, 4))
  writeFileSync(source.path, lines(5, 9))
  // The file's time alone decides: its lines would be wanted.
  utimesSync(`${source.path}.1`, 1, 1)
  assert.equal(await readAll(source, { since: T0 }), expected(5, 9))
})

test('read gives the last lines over file and block borders', async (t) => {
  const source = makeSource(t)
  writeFileSync(`${source.path}.1`, lines(1, 2000))
  writeFileSync(source.path, lines(2001, 2003) + line(2004).slice(0, 20))
  for (const tail of [0, 1, 2, 3, 4, 100, 1500, 2002, 2003, 5000])
    assert.equal(await readAll(source, { tail }), expected(Math.max(1, 2004 - tail), 2003), `tail ${tail}`)
})

test('read gives the last lines when the newest file is empty', async (t) => {
  const source = makeSource(t)
  writeFileSync(`${source.path}.1`, lines(1, 3))
  writeFileSync(source.path, '')
  assert.equal(await readAll(source, { tail: 2 }), expected(2, 3))
})

test('read handles lines across block borders in large files', async (t) => {
  const source = makeSource(t)
  const wide = 'y'.repeat(1000)
  let written = ''
  let wanted = ''
  for (let n = 1; n <= 1500; n++) {
    const text = `${n} ${wide.slice(0, n % 997)}\n`
    written += line(n, { text })
    wanted += text
  }
  writeFileSync(source.path, written)
  assert.equal(await readAll(source), wanted)
})

test('read skips a line longer than any buffer', async (t) => {
  const source = makeSource(t)
  writeFileSync(source.path, line(1) + line(2, { text: 'z'.repeat(3 * 1024 * 1024) }) + line(3))
  assert.equal(await readAll(source), 'line 1\nline 3\n')
})

test('read with follow gives lines as they are written and ends with the writer', async (t) => {
  const ended = deferred()
  const source = makeSource(t, ended.promise)
  writeFileSync(source.path, lines(1, 2))
  const follower = startFollower(source, { tail: 1 })
  await follower.until('line 2\n')
  appendFileSync(source.path, line(3).slice(0, 30))
  appendFileSync(source.path, line(3).slice(30))
  await follower.until('line 3\n')
  appendFileSync(source.path, line(4))
  ended.resolve()
  await follower.done
  assert.equal(follower.text(), expected(2, 4))
})

test('read with follow loses nothing in rotations, however many', async (t) => {
  const ended = deferred()
  const source = makeSource(t, ended.promise)
  writeFileSync(source.path, line(1))
  const follower = startFollower(source)
  await follower.until('line 1\n')
  let n = 2
  for (let round = 0; round < 20; round++) {
    // One or two rotations before the follower has a chance to look.
    for (let rotation = 0; rotation <= round % 2; rotation++) {
      appendFileSync(source.path, lines(n, n + 9))
      n += 10
      for (let index = source.maxFile - 1; index > 0; index--) {
        const older = index === 1 ? source.path : `${source.path}.${index - 1}`
        if (existsSync(older)) renameSync(older, `${source.path}.${index}`)
      }
      writeFileSync(source.path, '')
    }
    appendFileSync(source.path, line(n++))
    await follower.until(`line ${n - 1}\n`)
  }
  ended.resolve()
  await follower.done
  assert.equal(follower.text(), expected(1, n - 1))
})

test('read with follow waits for a log that is not there yet', async (t) => {
  const ended = deferred()
  const source = makeSource(t, ended.promise)
  const follower = startFollower(source)
  await new Promise((resolve) => setTimeout(resolve, 20))
  writeFileSync(source.path, line(1))
  await follower.until('line 1\n')
  ended.resolve()
  await follower.done
})

test('read with follow begins again when the file is cut', async (t) => {
  const ended = deferred()
  const source = makeSource(t, ended.promise)
  writeFileSync(source.path, lines(1, 5))
  const follower = startFollower(source)
  await follower.until('line 5\n')
  truncateSync(source.path)
  appendFileSync(source.path, line(6))
  await follower.until('line 6\n')
  ended.resolve()
  await follower.done
})

test('read with follow ends at until and by the signal, and leaves no descriptor open', async (t) => {
  const source = makeSource(t, new Promise(() => undefined))
  writeFileSync(source.path, lines(1, 2))
  await startFollower(source, { until: Temporal.Now.instant().epochNanoseconds + 30_000_000n }).done
  const controller = new AbortController()
  const follower = startFollower(source, {}, controller.signal)
  await follower.until('line 2\n')
  controller.abort()
  await follower.done
  assert.equal(openDescriptors(source.path), 0)
})

test('read closes its files when the consumer leaves early', async (t) => {
  const source = makeSource(t, new Promise(() => undefined))
  writeFileSync(source.path, lines(1, 5))
  for (const follow of [false, true]) for await (const _batch of createLogReader().read(source, { ...DEFAULTS, follow })) break
  assert.equal(openDescriptors(source.path), 0)
})
