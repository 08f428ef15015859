/** Runs the two CLIs side by side: ours (through `bin/gantry`, so the bundle must be built) and Docker's. */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '../..')
export const GANTRY: string = resolve(ROOT, 'bin/gantry')

export interface Outcome {
  stdout: string
  stderr: string
  status: number | null
}

export interface RunOptions {
  env?: Record<string, string>
  input?: string
  cwd?: string
  /** Give the SHA-256 of standard output in place of the output. */
  digest?: boolean
  /** Close our end of standard output after the first bytes. */
  closeOutputEarly?: boolean
}

/** Why tests with our CLI cannot run; undefined when they can. */
export function gantryMissing(): string | undefined {
  return existsSync(resolve(ROOT, 'dist/gantry.cjs')) ? undefined : 'the bundle is not built (make build)'
}

/** The version of the docker CLI whose texts we follow. */
export const REFERENCE_VERSION = '28.2'

/** Why tests that compare with the docker CLI cannot run; undefined when they can. */
export function dockerMissing(): string | undefined {
  const { stdout, error } = spawnSync('docker', ['--version'], { encoding: 'utf8' })
  if (error !== undefined) return 'docker is not installed'
  if (!stdout.includes(`version ${REFERENCE_VERSION}.`)) return `texts are those of docker ${REFERENCE_VERSION}, this is ${stdout.trim()}`
  return gantryMissing()
}

/** Ours, called by the name `docker`: the texts are then the same. */
export function gantry(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run(GANTRY, args, { ...options, env: { GANTRY_PROGRAM: 'docker', ...options.env } })
}

export function docker(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  return run('docker', args, options)
}

function run(program: string, args: readonly string[], { env, input, cwd, digest, closeOutputEarly }: RunOptions): Promise<Outcome> {
  const { promise, resolve: settle, reject } = Promise.withResolvers<Outcome>()
  const child = spawn(program, args, { env: { ...process.env, ...env }, cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  const hash = createHash('sha256')
  child.stdout.on('data', (chunk: Buffer) => {
    if (digest === true) hash.update(chunk)
    else if (closeOutputEarly === true) child.stdout.destroy()
    else stdout += chunk.toString('utf8')
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  child.on('error', reject)
  child.on('close', (status) => settle({ stdout: digest === true ? hash.digest('hex') : stdout, stderr, status }))
  child.stdin.on('error', () => {}).end(input ?? '')
  return promise
}

/** Words of a line, quoted as in a shell: `'…'` literal, `"…"` literal, the rest split at spaces. */
export function words(line: string): string[] {
  return (line.match(/(?:'[^']*'|"[^"]*"|[^\s'"]+)+/g) ?? []).map((word) =>
    word.replace(/'([^']*)'|"([^"]*)"/g, (_, a?: string, b?: string) => a ?? b ?? ''),
  )
}
