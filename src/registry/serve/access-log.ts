import type { RequestObserver, RequestReport } from '../types.ts'

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** One line per request in the Combined Log Format. Source: Apache HTTP Server, "Log Files". Without the requests of monitors. */
export function createAccessLog(write: (line: string) => void, now: () => Date = () => new Date()): RequestObserver {
  return {
    started() {
      // The line tells about the whole request.
    },
    finished(report) {
      if (report.route !== 'page' || !report.path.startsWith('/debug/')) write(`${accessLine(report, now())}\n`)
    },
  }
}

export function accessLine({ address, actor, method, path, status, sent, userAgent }: RequestReport, now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = `${two(now.getUTCDate())}/${MONTHS[now.getUTCMonth()]}/${now.getUTCFullYear()}`
  const time = `${two(now.getUTCHours())}:${two(now.getUTCMinutes())}:${two(now.getUTCSeconds())}`
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')
  // What the client wrote must not look like the end of a field or a line.
  const name = actor === undefined ? '-' : JSON.stringify(actor).slice(1, -1).replaceAll(' ', '\\u0020')
  return `${host} - ${name} [${day}:${time} +0000] ${JSON.stringify(`${method} ${path} HTTP/1.1`)} ${status} ${sent} "" ${JSON.stringify(userAgent)}`
}
