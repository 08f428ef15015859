import { createInterface } from 'node:readline'
import type { Cli } from '../cli.ts'

/** Asks on standard output; anything but `y` or `Y` is no, the end of input too. */
export async function confirm(cli: Cli, question: string): Promise<boolean> {
  cli.stdout.write(`${question} [y/N] `)
  const lines = createInterface({ input: process.stdin })
  try {
    for await (const line of lines) return line.trim().toLowerCase() === 'y'
    return false
  } finally {
    lines.close()
    process.stdin.unref?.()
  }
}
