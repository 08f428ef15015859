import { formatNano, parseNano } from '#lib'

/** `{"log":"` */
const PREFIX_LENGTH = 8
/** `","stream":"stdout"`, from the quote that closes the text; `stderr` is as long. */
const STREAM_LENGTH = 19
/** `,"attrs":` */
const ATTRS_KEY_LENGTH = 9
/** `,"time":"` */
const TIME_KEY_LENGTH = 9
/** `2024-05-06T07:08:09Z` and `2024-05-06T07:08:09.123456789Z`: the writer cuts zeros at the end of the fraction. */
const MIN_TIME_LENGTH = 20
const MAX_TIME_LENGTH = 30

/** The shortest line: all of the above and `"}`. */
const MIN_LENGTH = PREFIX_LENGTH + STREAM_LENGTH + TIME_KEY_LENGTH + MIN_TIME_LENGTH + 2

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a

/** Docker's numbers of the streams, as in frame headers. */
export type StreamNumber = 1 | 2

/**
 * Finds the parts of one line of a json-file log, written
 *
 *     {"log":"text\n","stream":"stdout","attrs":{"k":"v"},"time":"2024-05-06T07:08:09.123456789Z"}
 *
 * by looking at fixed distances from both ends: parsing each line as JSON reads 83 MB/s, this several hundred. The writer escapes quotes
 * inside the text, so a container cannot forge the end of its own line. A line of another layout (key order, another time zone) is read as
 * JSON and brought into this one. One decoder is reused for all lines; its fields hold the last line decoded.
 */
export class LineDecoder {
  /** What the offsets below refer to: the caller's buffer, or a rewritten line. */
  buffer: Buffer = Buffer.alloc(0)
  /** The text between its quotes, still escaped. */
  textStart: number = 0
  textEnd: number = 0
  stream: StreamNumber = 1
  /** RFC 3339 in UTC, 20 to 30 bytes. */
  timeStart: number = 0
  timeEnd: number = 0
  /** The object with its braces; both 0 when there is none. */
  attrsStart: number = 0
  attrsEnd: number = 0

  /** False for what is not a log line (half-written, zeros after a crash of the machine): skip it. `end` is the newline's position. */
  decode(buffer: Buffer, start: number, end: number): boolean {
    if (this.#decodeFixed(buffer, start, end)) return true
    const rewritten = rewrite(buffer.subarray(start, end))
    return rewritten !== undefined && this.#decodeFixed(rewritten, 0, rewritten.length)
  }

  #decodeFixed(buffer: Buffer, start: number, end: number): boolean {
    if (end - start < MIN_LENGTH) return false
    const timeEnd = end - 2
    let timeStart = timeEnd - MAX_TIME_LENGTH
    // Both: the quote that closes the key lies within reach of a short time, too.
    while ((buffer[timeStart - 1] !== QUOTE || buffer[timeStart - 2] !== COLON) && timeStart < timeEnd - MIN_TIME_LENGTH) timeStart++
    const timeKey = timeStart - TIME_KEY_LENGTH
    const textStart = start + PREFIX_LENGTH
    if (
      buffer[start + 2] !== 0x6c || // l of "log"
      buffer[textStart - 1] !== QUOTE ||
      buffer[textStart - 2] !== COLON ||
      buffer[end - 1] !== 0x7d || // }
      buffer[timeEnd] !== QUOTE ||
      buffer[timeEnd - 1] !== 0x5a || // Z
      buffer[timeStart - 1] !== QUOTE ||
      buffer[timeKey] !== COMMA ||
      buffer[timeKey + 2] !== 0x74 // t of "time"
    )
      return false
    const hasAttrs = buffer[timeKey - 1] !== QUOTE
    const textEnd = hasAttrs ? closingQuote(buffer, textStart, timeKey) : timeKey - STREAM_LENGTH
    if (
      textEnd < textStart ||
      buffer[textEnd] !== QUOTE ||
      buffer[textEnd + 1] !== COMMA ||
      buffer[textEnd + 3] !== 0x73 || // s of "stream"
      buffer[textEnd + 11] !== QUOTE ||
      buffer[textEnd + 14] !== 0x64 // d of "std…"
    )
      return false
    if (hasAttrs && buffer[textEnd + STREAM_LENGTH + 2] !== 0x61) return false // a of "attrs"
    this.buffer = buffer
    this.textStart = textStart
    this.textEnd = textEnd
    this.stream = buffer[textEnd + 15] === 0x65 ? 2 : 1 // e of stderr, o of stdout
    this.timeStart = timeStart
    this.timeEnd = timeEnd
    this.attrsStart = hasAttrs ? textEnd + STREAM_LENGTH + ATTRS_KEY_LENGTH : 0
    this.attrsEnd = hasAttrs ? timeKey : 0
    return true
  }
}

/** The first quote that is not escaped; -1 when there is none before `limit`. */
function closingQuote(buffer: Buffer, from: number, limit: number): number {
  for (let at = from; at < limit; at++) {
    const byte = buffer[at]
    if (byte === QUOTE) return at
    if (byte === BACKSLASH) at++
  }
  return -1
}

/** Any JSON object with Docker's keys as a line of the fixed layout. */
function rewrite(line: Buffer): Buffer | undefined {
  let entry: { log?: unknown; stream?: unknown; attrs?: unknown; time?: unknown }
  try {
    entry = JSON.parse(line.toString('utf8')) as typeof entry
    if (typeof entry !== 'object' || entry === null || typeof entry.time !== 'string') return undefined
    const text = JSON.stringify(typeof entry.log === 'string' ? entry.log : '')
    const attrs = typeof entry.attrs === 'object' && entry.attrs !== null ? `,"attrs":${JSON.stringify(entry.attrs)}` : ''
    const stream = entry.stream === 'stderr' ? 'stderr' : 'stdout'
    return Buffer.from(`{"log":${text},"stream":"${stream}"${attrs},"time":"${formatNano(parseNano(entry.time))}"}`)
  } catch {
    return undefined
  }
}
