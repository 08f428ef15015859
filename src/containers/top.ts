import { execFile } from 'node:child_process'
import { EngineError, internal, invalidArgument } from '#errors'
import { readProcessTable, type ProcessList } from './process-table.ts'

/** Runs the host's `ps`. `missing`: there is no such program. */
export type RunPs = (args: string[]) => Promise<{ kind: 'output'; text: string } | { kind: 'failed'; reason: string } | { kind: 'missing' }>

const DEFAULT_ARGS = '-ef'
const PS_TIMEOUT_MS = 10_000
const MAX_OUTPUT = 64 * 1024 * 1024
const PS_ENV = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' }

/**
 * The host's `ps` with the user's arguments, of which the processes of the container are kept. `pids`: host pids of all of them.
 * Throws INVALID_ARGUMENT for arguments that disguise another column as PID, INTERNAL with the text of `ps` when it fails or prints no PID.
 * Where `ps` is missing, the columns of `ps -ef` are read from /proc; any other arguments are then refused.
 */
export async function listProcesses(psArgs: string, pids: readonly number[], runPs: RunPs = runHostPs): Promise<ProcessList> {
  const text = psArgs === '' ? DEFAULT_ARGS : psArgs
  validatePsArgs(text)
  const args = text.split(' ').filter((arg) => arg !== '')
  // -q spares ps the look at the machine's other processes; some options (f) do not go with it.
  let result = await runPs([...args, `-q${pids.join(',')}`])
  if (result.kind === 'failed') result = await runPs(args)
  if (result.kind === 'failed') throw internal(result.reason)
  if (result.kind === 'output') return parsePsOutput(result.text, new Set(pids))
  if (text !== DEFAULT_ARGS) throw internal('ps: exec: "ps": executable file not found in $PATH')
  return readProcessTable(pids)
}

/**
 * `-o user=PID` would put a user's name under the title by which processes are recognised, and show processes of other containers.
 * Text: moby daemon/top_unix.go.
 */
function validatePsArgs(psArgs: string): void {
  for (const [, column = '', title = ''] of psArgs.matchAll(/\s+(\S*)=\s*(PID\S*)/g))
    if (column !== 'pid') throw invalidArgument(`specifying "${column}=${title}" is not allowed`)
}

/** Keeps the lines of `pids`. The last column takes the rest of its line, blanks and all. */
export function parsePsOutput(output: string, pids: ReadonlySet<number>): ProcessList {
  const [header = '', ...lines] = output.split('\n')
  const titles = fields(header)
  const pidColumn = titles.indexOf('PID')
  if (pidColumn < 0) throw internal("Couldn't find PID field in ps output")
  const processes: string[][] = []
  let belongs = false
  for (const line of lines) {
    if (line === '') continue
    const values = fields(line)
    const pid = values[pidColumn] ?? ''
    // A thread's line (`ps m`) has `-` here and belongs to the process above it.
    if (pid !== '-') {
      if (!/^\d+$/.test(pid)) throw internal(`Unexpected pid '${pid}': strconv.Atoi: parsing ${JSON.stringify(pid)}: invalid syntax`)
      belongs = pids.has(Number(pid))
    }
    if (belongs) processes.push([...values.slice(0, titles.length - 1), values.slice(titles.length - 1).join(' ')])
  }
  return { titles, processes }
}

/** Split at ASCII blanks only: a process may have named itself with others. */
function fields(line: string): string[] {
  return line.split(/[\t\n\f\r ]+/).filter((field) => field !== '')
}

const runHostPs: RunPs = (args) =>
  new Promise((resolve, reject) => {
    execFile('ps', args, { timeout: PS_TIMEOUT_MS, maxBuffer: MAX_OUTPUT, env: PS_ENV }, (error, stdout, stderr) => {
      if (error === null) resolve({ kind: 'output', text: stdout })
      else if (error.code === 'ENOENT') resolve({ kind: 'missing' })
      else if (error.killed === true) reject(new EngineError('UNAVAILABLE', 'ps: timed out', { cause: error }))
      else resolve({ kind: 'failed', reason: stderr.split('\n', 1)[0] || `ps: ${error.message}` })
    })
  })
