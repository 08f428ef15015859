import { logfmt } from '#lib'
import type { LogConfig } from '../config/services-section.ts'
import type { RegistryLog } from '../types.ts'

/** The server's own log: one line per entry, logfmt or JSON, with the fields of the configuration in each. */
export function createServerLog({ level, format, fields: always }: LogConfig, write: (line: string) => void): RegistryLog {
  const put = (severity: 'info' | 'error', msg: string, fields: Readonly<Record<string, unknown>>): void => {
    if (severity === 'info' && (level === 'warn' || level === 'error')) return
    const entry = { time: new Date().toISOString(), level: severity, msg, ...always, ...fields }
    write(`${format === 'json' ? JSON.stringify(entry) : logfmt(entry)}\n`)
  }
  return {
    info: (message, fields = {}) => put('info', message, fields),
    error(message, error) {
      // The stack is for whoever looks for a defect, the message for everybody.
      const { message: text, stack } = error instanceof Error ? error : new Error(String(error))
      put('error', message, { error: text, ...(level === 'debug' && { stack }) })
    },
  }
}
