import { formatNanoFixed } from '#lib'
import { LineDecoder } from './line-decoder.ts'
import { unescapeJson } from './json-unescape.ts'
import type { LogReadOptions } from './types.ts'

const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const SPACE = 0x20

/** `2024-05-06T07:08:09.123456789Z`: on the wire, timestamps have all nine digits. */
const TIME_LENGTH = 30
/** Position of the dot in it. */
const FRACTION = 19

/** 0 or stream number, three zero bytes, length of the rest as big-endian u32. Source: Docker API, "ContainerAttach", stream format. */
const FRAME_HEADER_LENGTH = 8

/**
 * Turns lines of a log file into bytes for the wire. Everything of one batch goes into one buffer: no object is made per line. Timestamps are
 * compared and copied as text, which at a fixed width in UTC orders as the times do.
 */
export class BatchWriter {
  readonly #options: LogReadOptions
  readonly #since: Buffer | undefined
  readonly #until: Buffer | undefined
  readonly #line = new LineDecoder()
  #output: Buffer = Buffer.alloc(0)
  #length = 0
  #attrs: Buffer = Buffer.alloc(0)
  #details: Buffer = Buffer.from(' ')
  /** A line later than `until` was met: as lines are in order of time, nothing wanted follows. */
  pastUntil: boolean = false

  constructor(options: LogReadOptions) {
    this.#options = options
    this.#since = options.since === undefined ? undefined : Buffer.from(formatNanoFixed(options.since))
    this.#until = options.until === undefined ? undefined : Buffer.from(formatNanoFixed(options.until))
  }

  /** Takes the complete lines of `input[start, end)`; returns where the rest, a line without its newline, begins. */
  add(input: Buffer, start: number, end: number): number {
    // A line is longer in the file than on the wire, so only details (percent-encoded) can outgrow this.
    this.#reserve(end - start)
    let at = start
    while (at < end && !this.pastUntil) {
      const newline = input.indexOf(NEWLINE, at)
      if (newline < 0 || newline >= end) break
      if (this.#line.decode(input, at, newline)) this.#addLine()
      at = newline + 1
    }
    return at
  }

  /** The bytes written since the last call. The caller owns them. */
  take(): Buffer {
    const batch = this.#output.subarray(0, this.#length)
    this.#output = Buffer.alloc(0)
    this.#length = 0
    return batch
  }

  #addLine(): void {
    const line = this.#line
    const { stdout, stderr, framed, timestamps, details } = this.#options
    if (this.#until !== undefined && compareTime(line, this.#until) > 0) {
      this.pastUntil = true
      return
    }
    if (this.#since !== undefined && compareTime(line, this.#since) < 0) return
    if (!(line.stream === 1 ? stdout : stderr)) return

    const { buffer, textStart, textEnd } = line
    if (details) this.#loadDetails()
    this.#reserve(FRAME_HEADER_LENGTH + TIME_LENGTH + 1 + this.#details.length + (textEnd - textStart))
    const output = this.#output
    const frame = this.#length
    let out = framed ? frame + FRAME_HEADER_LENGTH : frame
    const payload = out
    if (timestamps) {
      copyTime(line, output, out)
      output[out + TIME_LENGTH] = SPACE
      out += TIME_LENGTH + 1
    }
    if (details) out += this.#details.copy(output, out)

    const backslash = buffer.indexOf(BACKSLASH, textStart)
    if (backslash === textEnd - 2 && buffer[backslash + 1] === 0x6e) {
      // Nearly all lines: one escape, the newline at the end.
      buffer.copy(output, out, textStart, backslash)
      out += backslash - textStart
      output[out++] = NEWLINE
    } else if (backslash < 0 || backslash >= textEnd) {
      buffer.copy(output, out, textStart, textEnd)
      out += textEnd - textStart
    } else out = unescapeJson(buffer, textStart, textEnd, output, out)

    if (framed) writeHeader(output, frame, line.stream, out - payload)
    this.#length = out
  }

  /** Attributes are the same for all lines of a container: encoded once. */
  #loadDetails(): void {
    const { buffer, attrsStart, attrsEnd } = this.#line
    if (this.#attrs.compare(buffer, attrsStart, attrsEnd) === 0) return
    this.#attrs = Buffer.from(buffer.subarray(attrsStart, attrsEnd))
    this.#details = Buffer.from(`${encodeDetails(this.#attrs)} `)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#output.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#length + bytes, this.#output.length * 2))
    this.#output.copy(larger, 0, 0, this.#length)
    this.#output = larger
  }
}

function writeHeader(output: Buffer, at: number, stream: number, length: number): void {
  output[at] = stream
  output[at + 1] = 0
  output[at + 2] = 0
  output[at + 3] = 0
  output[at + 4] = length >>> 24
  output[at + 5] = length >>> 16
  output[at + 6] = length >>> 8
  output[at + 7] = length
}

/** At full width: what the writer cut is filled with zeros. */
function copyTime({ buffer, timeStart, timeEnd }: LineDecoder, output: Buffer, at: number): void {
  buffer.copy(output, at, timeStart, timeEnd)
  const length = timeEnd - timeStart
  if (length === TIME_LENGTH) return
  output.fill(0x30, at + length - 1, at + TIME_LENGTH - 1)
  output[at + FRACTION] = 0x2e // there is none in a time without fraction
  output[at + TIME_LENGTH - 1] = 0x5a
}

/** `bound` is of full width. */
function compareTime({ buffer, timeStart, timeEnd }: LineDecoder, bound: Buffer): number {
  const digits = timeEnd - timeStart - 1
  for (let i = 0; i < TIME_LENGTH - 1; i++) {
    const byte = i < digits ? (buffer[timeStart + i] ?? 0) : i === FRACTION ? 0x2e : 0x30
    const difference = byte - (bound[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

/** `a=1,b=2`, sorted by key and encoded as Go's url.QueryEscape does. */
function encodeDetails(attrs: Buffer): string {
  if (attrs.length === 0) return ''
  let values: unknown
  try {
    values = JSON.parse(attrs.toString('utf8'))
  } catch {
    return ''
  }
  return Object.entries(values as Record<string, unknown>)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${queryEscape(key)}=${queryEscape(String(value))}`)
    .join(',')
}

function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
}
