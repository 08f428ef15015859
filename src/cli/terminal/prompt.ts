import { isatty } from 'node:tty'
import { ExitError } from '../errors.ts'
import type { Output } from './output.ts'

const INTERRUPT = '\x03'
const END = '\x04'
const ERASE = '\x7f'
const KILL_LINE = '\x15'
/** As a shell shows a program that SIGINT ended. */
const INTERRUPTED = 130
/** Nobody's name or password is longer. */
const MAX_LENGTH = 64 * 1024

/** Asks for one line and reads it from standard input, without the blanks around it; empty at the end of the input. */
export async function ask(output: Output, question: string): Promise<string> {
  output.write(question)
  let line = ''
  await readInput((text) => {
    const end = text.indexOf('\n')
    line += end < 0 ? text : text.slice(0, end)
    return end < 0 && line.length < MAX_LENGTH ? undefined : text.slice(end + 1)
  })
  return line.trim()
}

/**
 * The same for what nobody may see on the screen: in raw mode, where we do the line editing ourselves, and where Ctrl-C reaches us, so that the
 * terminal never stays without echo. Throws Error with Docker's text when standard input is no terminal, ExitError after Ctrl-C.
 */
export async function askSecret(output: Output, question: string): Promise<string> {
  if (!isatty(0)) throw new Error('inappropriate ioctl for device')
  let line = ''
  let interrupted = false
  // Before the question: what is typed at once must not be seen either.
  process.stdin.setRawMode(true)
  try {
    output.write(question)
    await readInput((text) => {
      const keys = Array.from(text)
      for (const [index, key] of keys.entries()) {
        if (key === INTERRUPT) interrupted = true
        if (key === INTERRUPT || key === '\r' || key === '\n' || (key === END && line === '')) return keys.slice(index + 1).join('')
        if (key === ERASE) line = Array.from(line).slice(0, -1).join('')
        else if (key === KILL_LINE) line = ''
        else if (line.length < MAX_LENGTH) line += key
      }
      return undefined
    })
  } finally {
    process.stdin.setRawMode(false)
  }
  output.write('\n')
  if (interrupted) throw new ExitError(INTERRUPTED)
  return line.trim()
}

/** Gives what comes in to `take` until it returns what it did not need, which the next reader gets. Resolves at the end of the input, too. */
function readInput(take: (text: string) => string | undefined): Promise<void> {
  const { stdin } = process
  const { promise, resolve } = Promise.withResolvers<void>()
  const stop = (): void => {
    stdin.off('data', onData).off('end', stop).off('error', stop).pause()
    // A pending read on a terminal or pipe would keep the process alive.
    if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
    resolve()
  }
  const onData = (chunk: Buffer): void => {
    const rest = take(chunk.toString('utf8'))
    if (rest === undefined) return
    stop()
    if (rest !== '') stdin.unshift(Buffer.from(rest))
  }
  if ('ref' in stdin && typeof stdin.ref === 'function') stdin.ref()
  stdin.on('data', onData).on('end', stop).on('error', stop).resume()
  return promise
}
