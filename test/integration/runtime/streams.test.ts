/** Output, input, terminals and logs. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { after, suite, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { unshared } from '../unshared.ts'
import { Bench, readAll, readFrames, readLog } from './bench.ts'
import { eventually } from '../../harness/eventually.ts'

const ALL = { stdin: true, stdout: true, stderr: true }
const OUTPUT = { stdin: false, stdout: true, stderr: true }

unshared(import.meta.filename, () => {
  suite('streams of a container', () => {
    const bench = new Bench()
    after(() => bench[Symbol.asyncDispose]())

    test('reach client and log separately', async () => {
      const { stdout, stderr, log } = await bench.run(['sh', '-c', 'echo out; echo err >&2; printf rest'])
      assert.equal(stdout, 'out\nrest')
      assert.equal(stderr, 'err\n')
      assert.deepEqual(new Set(log.map(({ log, stream }) => `${stream} ${log}`)), new Set(['stderr err\n', 'stdout out\n', 'stdout rest']))
      for (const { time } of log) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,8}[1-9])?Z$/)
    })

    test('stdin is half-closed by the client, and what was sent arrives first', async () => {
      const task = await bench.runtime.create(
        bench.launch(['sh', '-c', 'md5sum; echo done'], { stdio: { openStdin: true, stdinOnce: true } }),
      )
      const stream = await task.attach(ALL)
      await task.start()
      const data = Buffer.alloc(3_000_000, 'some input for the container\n')
      stream.end(data)
      const { stdout } = await readFrames(stream)
      assert.equal(stdout.toString(), `${createHash('md5').update(data).digest('hex')}  -\ndone\n`)
      assert.equal((await task.exited).exitCode, 0)
      await task.delete()
    })

    test('stdin stays open for the next client unless it is for one only', async () => {
      const task = await bench.runtime.create(
        bench.launch(['sh', '-c', 'read a; echo got it; read b; echo $a$b'], { stdio: { openStdin: true } }),
      )
      await task.start()
      const first = await task.attach(ALL)
      first.end('one\n')
      await until(first, 'got it')
      const second = await task.attach(ALL)
      const output = readFrames(second)
      second.write('two\n')
      assert.equal((await output).stdout.toString(), 'onetwo\n')
      first.destroy()
      await task.exited
      await task.delete()
    })

    test('stdin of two clients at once arrives whole', async () => {
      const task = await bench.runtime.create(
        bench.launch(['sh', '-c', 'sleep 0.2; head -c 400000 | tr -d "\\n" | wc -c'], { stdio: { openStdin: true } }),
      )
      const clients = [await task.attach(ALL), await task.attach(ALL)]
      const output = readFrames(clients[0]!)
      clients[1]!.resume()
      await task.start()
      // More than a pipe holds, so that one client's bytes wait in the monitor while the other's arrive.
      for (const client of clients) client.write(Buffer.alloc(200_000, 'x'))
      assert.equal((await output).stdout.toString(), '400000\n')
      clients[1]!.destroy()
      await task.exited
      await task.delete()
    })

    test('stdin is empty when it was not asked for', async () => {
      assert.equal((await bench.run(['sh', '-c', 'cat; echo end'])).stdout, 'end\n')
    })

    test('a terminal is one: name, size, resize, echo, job control', async () => {
      const script = 'tty; stty size; trap "stty size; exit 3" WINCH; echo ready; while :; do sleep 0.05; done'
      const spec = bench.launch(['sh', '-c', script], {
        process: { consoleSize: { height: 11, width: 22 } },
        stdio: { tty: true, openStdin: true },
      })
      const task = await bench.runtime.create(spec)
      const stream = await task.attach(ALL)
      const output = readAll(stream)
      const ready = until(stream, 'ready')
      await task.start()
      await ready
      await task.resize(33, 44)
      assert.equal((await task.exited).exitCode, 3)
      assert.equal((await output).toString(), '/dev/pts/0\r\n11 22\r\nready\r\n33 44\r\n')
      assert.deepEqual(
        readLog(join(spec.stateDir, 'log')).map(({ log, stream }) => stream + log),
        ['stdout/dev/pts/0\r\n', 'stdout11 22\r\n', 'stdoutready\r\n', 'stdout33 44\r\n'],
      )
      await task.delete()
    })

    test('a terminal survives that nobody inside has it open', async () => {
      const script = 'sleep 0.1 <&- >/dev/null 2>&1; exec <&- >&- 2>&-; sleep 0.2; exec 0</dev/pts/0 1>/dev/pts/0; echo back'
      const task = await bench.runtime.create(bench.launch(['sh', '-c', script], { stdio: { tty: true } }))
      const stream = await task.attach(ALL)
      await task.start()
      assert.equal((await readAll(stream)).toString(), 'back\r\n')
      assert.equal((await task.exited).exitCode, 0)
      await task.delete()
    })

    test('a terminal takes ^C', async () => {
      const task = await bench.runtime.create(bench.launch(['sh'], { stdio: { tty: true, openStdin: true }, launch: { init: true } }))
      const stream = await task.attach(ALL)
      await task.start()
      await until(stream, '# ')
      stream.write("echo be''gun; cat\n")
      await until(stream, 'begun')
      stream.write('mark\n')
      // Shown by the terminal, and by cat.
      await until(stream, 'mark\r\nmark\r\n')
      stream.write('\x03')
      await until(stream, '# ')
      stream.write('exit 9\n')
      stream.resume()
      assert.equal((await task.exited).exitCode, 9)
      await task.delete()
    })

    test('a task without terminal cannot be resized', async () => {
      const task = await bench.runtime.create(bench.launch(['sleep', '9']))
      await task.start()
      await assert.rejects(task.resize(1, 1), { code: 'INVALID_ARGUMENT' })
      await task.kill(9)
      await task.exited
      await task.delete()
    })

    test('200 MB arrive intact in client and log', async () => {
      const line = `${'x'.repeat(99)}\n`
      const count = 2_000_000
      const spec = bench.launch(['sh', '-c', `yes ${line.trim()} | head -n ${count}`])
      const task = await bench.runtime.create(spec)
      const stream = await task.attach(OUTPUT)
      const started = performance.now()
      await task.start()
      let bytes = 0
      let left = 0
      let header: Buffer = Buffer.alloc(0)
      for await (const read of stream as AsyncIterable<Buffer>) {
        let chunk: Buffer = read
        if (header.length > 0) chunk = Buffer.concat([header, chunk])
        header = Buffer.alloc(0)
        while (chunk.length > 0) {
          if (left === 0) {
            if (chunk.length < 8) {
              header = chunk
              break
            }
            left = chunk.readUInt32BE(4)
            chunk = chunk.subarray(8)
          }
          const part = chunk.subarray(0, left)
          if (part.length > 0) assert.equal(part.at(-1), (bytes + part.length) % 100 === 0 ? 10 : 120)
          bytes += part.length
          left -= part.length
          chunk = chunk.subarray(part.length)
        }
      }
      const seconds = (performance.now() - started) / 1000
      await task.exited
      console.log(`attached and logged: ${(200 / seconds).toFixed(0)} MB/s`)
      assert.equal(bytes, 200_000_000)
      await task.delete()
      let lines = 0
      const expected = `{"log":"${line.trim()}\\n","stream":"stdout","time":"`
      for await (const each of createInterface({ input: createReadStream(join(spec.stateDir, 'log')) })) {
        lines++
        if (!each.startsWith(expected) || !each.endsWith('Z"}')) assert.fail(`line ${lines}: ${each}`)
      }
      assert.equal(lines, count)
    })

    test('a client that does not read stops the container, not the memory', async () => {
      const spec = bench.launch(['sh', '-c', 'yes 0123456789abcdef | head -c 30000000; echo end >&2'])
      const task = await bench.runtime.create(spec)
      const stream = await task.attach(OUTPUT)
      await task.start()
      const size = (): number => statSync(join(spec.stateDir, 'log')).size
      const stuck = await eventually(async () => {
        const before = size()
        await delay(300)
        assert.ok(before > 0 && size() === before, 'the container stops')
        return before
      })
      assert.ok(stuck < 20_000_000, `${stuck} bytes were logged although nobody read`)
      const { stdout } = await readFrames(stream)
      assert.equal(stdout.length, 30_000_000)
      await task.exited
      await task.delete()
    })

    test('a client that goes away unread does not hold the container up', async () => {
      const task = await bench.runtime.create(bench.launch(['sh', '-c', 'yes | head -c 10000000']))
      const stream = await task.attach(OUTPUT)
      await task.start()
      await delay(50)
      stream.destroy()
      assert.equal((await task.exited).exitCode, 0)
      await task.delete()
    })

    test('the log goes on in the file it finds, and rotates by size', async () => {
      const { id, stateDir } = bench.state()
      const path = join(stateDir, 'log')
      const log = { driver: 'json-file', path, maxSize: 1000, maxFile: 3, extra: '"attrs":{"a":"b"}' } as const
      writeFileSync(path, '{"log":"before\\n","stream":"stdout","time":"2020-01-01T00:00:00Z"}\n')
      await bench.run(['seq', '1', '60'], { launch: { id, stateDir }, stdio: { log } })
      const names = [`${path}.2`, `${path}.1`, path]
      const lines = names.flatMap((name) => readLog(name))
      for (const name of names) assert.ok(statSync(name).size < 1200)
      assert.ok(!existsSync(`${path}.3`))
      const numbers = lines.map((line) => Number(line.log))
      assert.equal(numbers.at(-1), 60)
      numbers.forEach((number, index) => assert.equal(number, numbers[0]! + index))
      assert.ok(lines.every((line) => (line['attrs'] as { a: string }).a === 'b'))
    })

    test('without a log there is no file', async () => {
      const spec = bench.launch(['echo', 'x'], { stdio: { log: { driver: 'none' } } })
      const task = await bench.runtime.create(spec)
      const stream = await task.attach(OUTPUT)
      await task.start()
      assert.equal((await readFrames(stream)).stdout.toString(), 'x\n')
      await task.exited
      assert.ok(!existsSync(join(spec.stateDir, 'log')))
      await task.delete()
    })

    test('escapes as dockerd does', async () => {
      const bytes = Buffer.from('q" b\\ t\t r\r <&> \u0001 \u007f é 日本 😀 \u2028 \xff'.replace('\xff', ''), 'utf8')
      const raw = Buffer.concat([bytes, Buffer.from([0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 10])])
      writeFileSync(join(bench.rootfs, 'raw'), raw)
      const spec = bench.launch(['cat', '/raw'])
      const task = await bench.runtime.create(spec)
      await task.start()
      await task.exited
      await task.delete()
      const [line] = readFileSync(join(spec.stateDir, 'log'), 'utf8').split('","stream"')
      const tail = '\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\n'
      assert.equal(line, `{"log":"q\\" b\\\\ t\\u0009 r\\r \\u003c\\u0026\\u003e \\u0001 \u007f é 日本 😀 \\u2028 ${tail}`)
    })

    test('long lines come in pieces of 16 KiB, the last with the newline', async () => {
      writeFileSync(join(bench.rootfs, 'long'), `${'a'.repeat(16384 * 2 + 5)}\n${'b'.repeat(16384)}\nshort\n`)
      const { log } = await bench.run(['cat', '/long'])
      const shape = log.map(({ log }) => `${log[0]}${log.length}${log.endsWith('\n') ? '+' : ''}`)
      assert.deepEqual(shape, ['a16384', 'a16384', 'a6+', 'b16384', '\n1+', 's6+'])
    })
  })
})

async function until(stream: Duplex, text: string): Promise<void> {
  let seen = ''
  const found = Promise.withResolvers<void>()
  function look(chunk: Buffer): void {
    seen += chunk.toString()
    if (seen.includes(text)) found.resolve()
  }
  stream.on('data', look)
  await found.promise
  stream.off('data', look)
}
