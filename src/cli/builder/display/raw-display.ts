import type { BuildUpdate } from '#client'
import type { Output } from '../../terminal/output.ts'
import type { BuildDisplay } from './display.ts'

/** One line of JSON for each update, with the field names of BuildKit's client (`SolveStatus`). For programs. */
export function createRawDisplay(output: Output): BuildDisplay {
  return {
    update(update) {
      output.write(`${JSON.stringify(encode(update))}\n`)
    },
    end() {},
  }
}

function encode({ vertexes, statuses, logs, warnings }: BuildUpdate): object {
  return {
    ...list('vertexes', vertexes, ({ error, started, completed, ...vertex }) => ({
      ...vertex,
      ...times({ started, completed }),
      ...(error === '' ? {} : { error }),
    })),
    ...list('statuses', statuses, ({ started, completed, ...status }) => ({ ...status, ...times({ started, completed }) })),
    ...list('logs', logs, ({ data, timestamp, ...log }) => ({
      ...log,
      data: Buffer.from(data).toString('base64'),
      ...times({ timestamp }),
    })),
    ...list('warnings', warnings, ({ vertex, level, short, detail, url }) => ({
      vertex,
      level,
      url,
      short: Buffer.from(short).toString('base64'),
      detail: detail.map((line) => Buffer.from(line).toString('base64')),
    })),
  }
}

function list<T>(name: string, entries: readonly T[], change: (entry: T) => object): Record<string, object[]> {
  return entries.length === 0 ? {} : { [name]: entries.map(change) }
}

function times(values: Record<string, number | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, new Date(value).toISOString()]])),
  )
}
