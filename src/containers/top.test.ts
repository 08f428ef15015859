import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readProcessTable } from './process-table.ts'
import { listProcesses, parsePsOutput, type RunPs } from './top.ts'

const OUTPUT = `UID   PID  PPID CMD
root    1     0 /sbin/init
www    42     1 nginx: worker  process
root   99     1 bash
`

/** Answers as scripted and notes the arguments. */
function scriptedPs(...answers: Awaited<ReturnType<RunPs>>[]): RunPs & { calls: string[][] } {
  const calls: string[][] = []
  const run: RunPs = async (args) => {
    calls.push(args)
    return answers[calls.length - 1] ?? { kind: 'missing' }
  }
  return Object.assign(run, { calls })
}

test('listProcesses keeps the processes of the container', async () => {
  const ps = scriptedPs({ kind: 'output', text: OUTPUT })
  const list = await listProcesses('', [42, 99], ps)
  assert.deepEqual(ps.calls, [['-ef', '-q42,99']])
  assert.deepEqual(list.titles, ['UID', 'PID', 'PPID', 'CMD'])
  assert.deepEqual(list.processes, [
    ['www', '42', '1', 'nginx: worker process'],
    ['root', '99', '1', 'bash'],
  ])
})

test('listProcesses tries again without -q when ps refuses it', async () => {
  const ps = scriptedPs({ kind: 'failed', reason: 'error: conflicting options' }, { kind: 'output', text: OUTPUT })
  assert.equal((await listProcesses('axf  -o pid,cmd', [1], ps)).processes.length, 1)
  assert.deepEqual(ps.calls[1], ['axf', '-o', 'pid,cmd'])
})

test('listProcesses tells why ps failed', async () => {
  const ps = scriptedPs({ kind: 'failed', reason: 'x' }, { kind: 'failed', reason: 'error: unknown option' })
  await assert.rejects(listProcesses('--bogus', [1], ps), { code: 'INTERNAL', message: 'error: unknown option' })
})

test('listProcesses refuses another column under the title PID', async () => {
  await assert.rejects(listProcesses('-o user=PID', [1], scriptedPs()), {
    code: 'INVALID_ARGUMENT',
    message: 'specifying "user=PID" is not allowed',
  })
  const allowed = scriptedPs({ kind: 'output', text: 'PID\n 1\n' })
  assert.deepEqual((await listProcesses('-o pid=PID', [1], allowed)).processes, [['1']])
})

test('listProcesses without ps reads /proc for the default columns only', async () => {
  const list = await listProcesses('', [process.pid], scriptedPs())
  assert.equal(list.processes[0]?.[1], String(process.pid))
  await assert.rejects(listProcesses('aux', [1], scriptedPs()), /executable file not found/)
})

test('parsePsOutput keeps thread lines with their process', () => {
  const output = 'PID COMMAND\n10 redis\n- -\n11 other\n- -\n'
  assert.deepEqual(parsePsOutput(output, new Set([10])).processes, [
    ['10', 'redis'],
    ['-', '-'],
  ])
})

test('parsePsOutput needs a PID column with numbers', () => {
  assert.throws(() => parsePsOutput('USER CMD\nroot x\n', new Set()), { message: "Couldn't find PID field in ps output" })
  assert.throws(() => parsePsOutput('PID CMD\nx y\n', new Set()), /Unexpected pid 'x'/)
})

test('readProcessTable reads names with parentheses, users, terminals and times', async (t) => {
  const proc = mkdtempSync(join(tmpdir(), 'gantry-proc-'))
  t.after(() => rmSync(proc, { recursive: true }))
  mkdirSync(join(proc, '7'))
  writeFileSync(join(proc, 'stat'), 'cpu 1 2 3\nbtime 1000\n')
  writeFileSync(join(proc, 'passwd'), 'root:x:0:0::/:/bin/sh\nwww:x:33:33::/:/bin/sh\n')
  const rest = [
    'S',
    '3',
    '7',
    '7',
    String((136 << 8) | 5),
    '7',
    '0',
    '0',
    '0',
    '0',
    '0',
    '366100',
    '0',
    '0',
    '0',
    '20',
    '0',
    '1',
    '0',
    '100',
  ]
  writeFileSync(join(proc, '7', 'stat'), `7 (a) b (c) ${rest.join(' ')}\n`)
  writeFileSync(join(proc, '7', 'status'), 'Name:\ta\nUid:\t33\t33\t33\t33\n')
  writeFileSync(join(proc, '7', 'cmdline'), '')
  const { processes } = await readProcessTable([7, 8], proc, join(proc, 'passwd'))
  assert.equal(processes.length, 1)
  const [uid, pid, ppid, , stime, tty, time, cmd] = processes[0] ?? []
  assert.deepEqual([uid, pid, ppid, tty, time, cmd], ['www', '7', '3', 'pts/5', '01:01:01', '[a) b (c]'])
  assert.match(stime ?? '', /^(Jan01|Dec31)$/)
})
