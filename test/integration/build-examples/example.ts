import { spawn } from 'node:child_process'
import { chmodSync, cpSync, existsSync, lchownSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from '../../harness/index.ts'

/** A folder of `test/dockerfiles`; its README says what the files are. */
export interface Example {
  readonly name: string
  readonly folder: string
  readonly dockerfile: string
  /** Arguments of `docker build`. */
  readonly args: readonly string[]
  readonly setup: readonly string[]
  /** Part of the text that the build fails with; undefined: it succeeds. */
  readonly error: string | undefined
}

/** All of them, in order. */
export function readExamples(): Example[] {
  const folder = join(ROOT, 'test/dockerfiles')
  return readdirSync(folder)
    .filter((name) => /^\d/.test(name))
    .sort()
    .map((name) => readExample(join(folder, name), name))
}

function readExample(folder: string, name: string): Example {
  const file = join(folder, 'example.json')
  const told = (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) as { args?: string[]; setup?: string[]; error?: string }
  return {
    name,
    folder,
    dockerfile: readFileSync(join(folder, 'Dockerfile'), 'utf8'),
    args: (told.args ?? []).map((argument) => argument.replaceAll('$EXAMPLE', folder)),
    setup: told.setup ?? [],
    error: told.error,
  }
}

/** A copy of an example's context with plain modes and owners, whatever the checkout's are. Disposing deletes it. */
export class ContextCopy implements AsyncDisposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  static async of(example: Example): Promise<ContextCopy> {
    const path = mkdtempSync(join(tmpdir(), 'gantry-example-'))
    const context = join(example.folder, 'context')
    if (existsSync(context)) cpSync(context, path, { recursive: true, verbatimSymlinks: true })
    cpSync(join(example.folder, 'Dockerfile'), join(path, 'Dockerfile'))
    makePlain(path)
    const copy = new ContextCopy(path)
    if (example.setup.length > 0) {
      const { status, output } = await run('sh', ['-e', '-c', ['umask 022', ...example.setup].join('\n')], { cwd: path })
      if (status !== 0) throw new Error(`setup of ${example.name}: ${output}`)
    }
    return copy
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export interface Outcome {
  readonly status: number | null
  /** stdout and stderr as they came. */
  readonly output: string
}

/** Runs a program without blocking the tests beside it. */
export function run(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Outcome> {
  const child = spawn(program, args, {
    ...options,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', (status) => done({ status, output }))
  })
}

function makePlain(path: string): void {
  const stat = lstatSync(path)
  lchownSync(path, 0, 0)
  if (stat.isSymbolicLink()) return
  chmodSync(path, stat.isDirectory() || (stat.mode & 0o100) !== 0 ? 0o755 : 0o644)
  if (stat.isDirectory()) for (const name of readdirSync(path)) makePlain(join(path, name))
}
