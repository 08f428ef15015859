import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openLogFiles } from './log-files.ts'

function makePath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-log-files-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'log')
}

/** First eight bytes of each file, a number that grows with each rotation. Closes the files. */
async function numbersIn(files: ReturnType<typeof openLogFiles>): Promise<number[]> {
  const numbers: number[] = []
  for (const file of files) {
    using opened = file
    const bytes = Buffer.alloc(8)
    // A file that was just made is still empty.
    if ((await opened.read(bytes, 0, 8, 0)) === 8) numbers.push(Number(bytes.toString()))
  }
  return numbers
}

test('openLogFiles gives what is newer than a known file', async (t) => {
  const path = makePath(t)
  writeFileSync(path, '00000001')
  const [known] = openLogFiles(path, 5)
  renameSync(path, `${path}.2`)
  writeFileSync(`${path}.1`, '00000002')
  writeFileSync(path, '00000003')
  assert.deepEqual(await numbersIn(openLogFiles(path, 5, known?.inode)), [2, 3])
  assert.deepEqual(await numbersIn(openLogFiles(path, 5)), [1, 2, 3])
  assert.deepEqual(await numbersIn(openLogFiles(path, 2)), [2, 3])
  known?.[Symbol.dispose]()
})

test('openLogFiles keeps the order while a writer rotates as fast as it can', async (t) => {
  const path = makePath(t)
  const rotate = `const fs = require('fs'), path = ${JSON.stringify(path)}
    for (let n = 0; ; n++) {
      for (let i = 4; i > 0; i--) try { fs.renameSync(i === 1 ? path : path + '.' + (i - 1), path + '.' + i) } catch {}
      fs.writeFileSync(path, String(n).padStart(8, '0'))
    }`
  const writer = spawn(process.execPath, ['-e', rotate], { stdio: 'inherit' })
  const ended = once(writer, 'exit')
  t.after(() => writer.kill('SIGKILL'))
  for (let looks = 0; looks < 10;) {
    const numbers = await numbersIn(openLogFiles(path, 5))
    assert.deepEqual(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    if (numbers.length === 5) looks++
    await new Promise(setImmediate)
  }
  writer.kill('SIGKILL')
  await ended
})
