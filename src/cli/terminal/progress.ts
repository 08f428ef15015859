import type { JsonMessage } from '#api'
import { type BodyStream, readJsonStream } from '#client'
import { formatGoDuration, humanSize } from '#lib'
import type { Output } from './output.ts'

const BAR_WIDTH = 50
/** Narrower terminals get numbers without a bar. */
const BAR_MIN_COLUMNS = 110
const DEFAULT_COLUMNS = 200

/**
 * Shows a progress stream (pull, push, load, import): on a terminal each id has a line that is written over, elsewhere changes are printed
 * as lines and the bars left out. `onAux` gets the machine-readable parts. Rejects with the stream's own error.
 */
export async function showProgress(body: BodyStream, output: Output, onAux: (aux: unknown) => void = () => {}): Promise<void> {
  const columns = output.size()?.[1] ?? DEFAULT_COLUMNS
  let lines = new Map<string, number>()
  await readJsonStream(body, (value) => {
    const message = value as JsonMessage
    if (message.aux !== undefined) return onAux(message.aux)
    const error = message.errorDetail?.message ?? message.error
    if (error !== undefined) throw new Error(message.errorDetail?.code === 401 ? 'authentication is required' : error)
    let up = 0
    const id = message.id ?? ''
    if (id !== '' && message.progressDetail !== undefined) {
      let line = lines.get(id)
      if (line === undefined) {
        line = lines.size
        lines.set(id, line)
        if (output.isTerminal) output.write('\n')
      }
      up = lines.size - line
      if (output.isTerminal && up > 0) output.write(`\x1b[${up}A`)
    } else lines = new Map()
    const text = messageText(message, output.isTerminal, columns)
    if (text !== undefined) output.write(text)
    if (id !== '' && output.isTerminal && up > 0) output.write(`\x1b[${up}B`)
  })
}

/** One message; undefined when it is progress that only a terminal shows. */
function messageText(message: JsonMessage, isTerminal: boolean, columns: number): string | undefined {
  const detail = message.progressDetail
  const bar = detail === undefined ? '' : progressBar(detail, columns)
  const rewrite = isTerminal && (message.stream ?? '') === '' && detail !== undefined
  if (!rewrite && bar !== '') return undefined
  const start = rewrite ? '\x1b[2K\r' : ''
  const end = rewrite ? '\r' : ''
  const id = (message.id ?? '') === '' ? '' : `${message.id}: `
  if (rewrite) return `${start}${id}${message.status ?? ''} ${bar}${end}`
  if ((message.stream ?? '') !== '') return `${id}${message.stream}`
  return `${id}${message.status ?? ''}\n`
}

/** `[=====>     ]  1.2MB/3.4MB`. */
export function progressBar(detail: NonNullable<JsonMessage['progressDetail']>, columns: number): string {
  const { current = 0, total = 0, start = 0, units = '' } = detail
  if (current <= 0 && total <= 0) return ''
  if (total <= 0) return units === '' ? humanSize(current).padStart(8) : `${current} ${units}`
  const filled = Math.min(BAR_WIDTH, Math.trunc(Math.trunc((current / total) * 100) / 2))
  const bar = columns > BAR_MIN_COLUMNS ? `[${'='.repeat(filled)}>${' '.repeat(BAR_WIDTH - filled)}] ` : ''
  let numbers = ''
  if (detail.hidecounts !== true) {
    if (units !== '') numbers = `${current}/${total} ${units}`
    else numbers = current > total ? humanSize(current).padStart(8) : `${humanSize(current).padStart(8)}/${humanSize(total)}`
  }
  if (current <= 0 || start <= 0 || filled >= BAR_WIDTH || columns <= BAR_WIDTH) return bar + numbers
  const elapsed = Date.now() / 1000 - start
  const left = Math.round(((total - current) * elapsed) / current)
  return `${bar}${numbers} ${formatGoDuration(left * 1e9)}`
}
