import type { EventMessage } from '#api'
import type { BodyStream } from '#client'
import { formatNanoFixed } from '#lib'
import { ExitError } from '../errors.ts'
import { goValue } from './inspect.ts'
import { compileTemplate, type Template } from './template/template.ts'

/** An event with the digits of its time, which a JavaScript number cannot hold. */
export interface ExactEvent {
  message: EventMessage
  timeNano: bigint
  /** As the daemon sent it. */
  text: string
}

/** Calls `each` for every event; one JSON object a line. Rejects with SyntaxError on malformed JSON. */
export async function readEvents(body: BodyStream, each: (event: ExactEvent) => void): Promise<void> {
  const decoder = new TextDecoder()
  let pending = ''
  const take = (line: string): void => {
    if (line.trim() === '') return
    const message = JSON.parse(line) as EventMessage
    const digits = /"timeNano":\s*(\d+)/.exec(line)?.[1]
    each({ message, timeNano: digits === undefined ? BigInt(message.time) * 1_000_000_000n : BigInt(digits), text: line.trim() })
  }
  await body.pipe((chunk) => {
    const lines = (pending + decoder.decode(chunk, { stream: true })).split('\n')
    pending = lines.pop() ?? ''
    lines.forEach(take)
  })
  take(pending)
}

/** Turns an event into its line: Docker's own form, JSON, or a template. Throws Error for a bad template. */
export function eventPrinter(format: string): (event: ExactEvent) => string {
  if (format === '') return eventLine
  if (format === 'json' || /^\{\{\s*json\s+\.\s*\}\}$/.test(format)) return ({ text }) => text
  const template = compileEvents(format)
  return ({ message, timeNano }) => {
    const named = { Status: message.status, ID: message.id, From: message.from, Scope: message.scope, Time: message.time }
    const value = goValue({ ...message, ...named }, '') as Record<string, unknown>
    return template.execute({ ...value, TimeNano: String(timeNano), timeNano: String(timeNano) })
  }
}

/** Docker's status for wrong usage, from sysexits.h. */
const USAGE_STATUS = 64

function compileEvents(format: string): Template {
  try {
    return compileTemplate(format)
  } catch (error) {
    throw new ExitError(USAGE_STATUS, `Error parsing format: ${(error as Error).message}`)
  }
}

/** `2024-05-06T07:08:09.123456789Z container start <id> (image=busybox, name=web)`: local time, attributes by name. */
function eventLine({ message, timeNano }: ExactEvent): string {
  const { Type, Action, Actor } = message
  const attributes = Object.entries(Actor.Attributes ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  return `${localTime(timeNano)} ${Type} ${Action} ${Actor.ID}${attributes.length === 0 ? '' : ` (${attributes.join(', ')})`}`
}

/** RFC 3339 with nine digits in the local zone. */
function localTime(nano: bigint): string {
  const offset = -new Date(Number(nano / 1_000_000n)).getTimezoneOffset()
  if (offset === 0) return formatNanoFixed(nano)
  const shifted = formatNanoFixed(nano + BigInt(offset) * 60_000_000_000n).slice(0, -1)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${shifted}${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
}
