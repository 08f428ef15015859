import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../harness/eventually.ts'

const TIMEOUT = 60_000

/** Why there are no pseudo terminals; undefined when there are. */
export function terminalMissing(): string | undefined {
  return spawnSync('python3', ['-c', 'import pty']).status === 0 ? undefined : 'python3 is not installed (it makes the pseudo terminal)'
}

/** A program on a pseudo terminal of 30 rows and 100 columns, and a user at it. */
export class TerminalSession implements AsyncDisposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #ended: Promise<number | null>
  #output = ''
  /** What was waited for so far ends here. */
  #seen = 0

  constructor(command: readonly string[], env: Record<string, string>) {
    this.#child = spawn('python3', [join(import.meta.dirname, 'run-on-terminal.py'), '30', '100', ...command], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#output += text))
    this.#ended = new Promise((resolve) => this.#child.on('close', resolve))
  }

  /** Everything on the screen so far. */
  get output(): string {
    return this.#output
  }

  type(text: string): void {
    this.#child.stdin.write(`${JSON.stringify({ send: text })}\n`)
  }

  resize(rows: number, columns: number): void {
    this.#child.stdin.write(`${JSON.stringify({ size: [rows, columns] })}\n`)
  }

  /** Waits for text that comes after what was waited for before. */
  async expect(text: string): Promise<void> {
    this.#seen = await eventually(() => {
      const at = this.#output.indexOf(text, this.#seen)
      if (at < 0) throw new Error(`no ${JSON.stringify(text)} in ${JSON.stringify(this.#output.slice(this.#seen))}`)
      return at + text.length
    })
  }

  /** The status with which the program ends. */
  async status(): Promise<number | null> {
    const result = await Promise.race([this.#ended, sleep(TIMEOUT, 'still running' as const, { ref: false })])
    if (result === 'still running') throw new Error(`still running; screen: ${JSON.stringify(this.#output.slice(-500))}`)
    return result
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
