import { logfmt } from '#lib'

/** Severities as dockerd names them, least first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'fatal'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export type LogFields = Record<string, unknown>

/** The daemon's own log. Lines are for people and log collectors; nothing is parsed back. */
export interface Logger {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** Takes effect at once (reload). */
  setLevel(level: LogLevel): void
}

/**
 * Writes one line per entry: `time="…" level=info msg="…" key=value` (logfmt, as dockerd) or one JSON object. `write` gets the line with its
 * newline.
 */
export function createLogger(options: {
  level: LogLevel
  format: 'text' | 'json'
  write: (line: string) => void
  now?: () => Date
}): Logger {
  const { format, write, now = () => new Date() } = options
  let threshold = LOG_LEVELS.indexOf(options.level)
  const log = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < threshold) return
    const time = now().toISOString()
    if (format === 'json') write(`${JSON.stringify({ level, msg: message, time, ...fields })}\n`)
    else write(`${logfmt({ time, level, msg: message, ...fields })}\n`)
  }
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields) => log('error', message, fields),
    setLevel: (level) => {
      threshold = LOG_LEVELS.indexOf(level)
    },
  }
}
