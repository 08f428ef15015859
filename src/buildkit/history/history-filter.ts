import { invalidArgument } from '#errors'
import { parseGoDuration, parseNano, splitCsvLine } from '#lib'
import type { BuildRecord } from './build-record.ts'

type Test = (record: BuildRecord) => boolean

const TIME_TERM = /^(startedAt|completedAt|duration)(>=|<=|>|<)(.+)$/
const TEXT_TERM = /^(ref|status|repository)(==|=|!=|~=)(.*)$/
const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '>=': (a, b) => a >= b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '<': (a, b) => a < b,
}

/**
 * Filters of `buildx history ls`: each a line of terms which must all hold; of several filters one is enough. What stands behind `~=` is part of the text, as buildx
 * means it, and no pattern. Throws INVALID_ARGUMENT. Source: moby/buildkit solver/llbsolver/history/filter.go.
 */
export function historyFilter(filters: readonly string[], now: number): Test {
  const alternatives = filters.map((filter) => {
    const tests = terms(filter).map((term) => parseTerm(term, now))
    return (record: BuildRecord): boolean => tests.every((test) => test(record))
  })
  return (record) => alternatives.length === 0 || alternatives.some((test) => test(record))
}

function terms(filter: string): string[] {
  try {
    return splitCsvLine(filter)
  } catch (error) {
    throw invalidArgument(`failed to parse history filters ${filter}: ${(error as Error).message}`)
  }
}

function parseTerm(term: string, now: number): Test {
  const [, clock, comparison = '', when = ''] = TIME_TERM.exec(term) ?? []
  const compare = COMPARE[comparison]
  if (clock !== undefined && compare !== undefined) {
    if (clock === 'duration') {
      const wanted = milliseconds(when)
      if (wanted === undefined) throw invalidArgument(`invalid duration ${when}`)
      return (record) => compare(ended(record) === 0 ? 0 : ended(record) - started(record), wanted)
    }
    // Whole seconds, as BuildKit compares them.
    const wanted = Math.floor(pointInTime(when, now) / 1000)
    const time = clock === 'startedAt' ? started : ended
    return (record) => compare(Math.floor(time(record) / 1000), wanted)
  }
  const [, name, operator, value = ''] = TEXT_TERM.exec(term) ?? []
  if (name === undefined) throw invalidArgument(`failed to parse history filters ${term}`)
  const text = name === 'ref' ? ({ ref }: BuildRecord) => ref : name === 'status' ? statusOf : repositoryOf
  if (operator === '~=') return (record) => text(record)?.includes(value) === true
  return (record) => (text(record) === value) !== (operator === '!=')
}

/** A point in time, or how long ago it was. */
function pointInTime(text: string, now: number): number {
  const ago = milliseconds(text)
  if (ago !== undefined) return now - ago
  try {
    return Number(parseNano(text) / 1_000_000n)
  } catch {
    throw invalidArgument(`invalid time ${text}`)
  }
}

function milliseconds(duration: string): number | undefined {
  try {
    return parseGoDuration(duration) / 1e6
  } catch {
    return undefined
  }
}

function started({ createdAt }: BuildRecord): number {
  return toMilliseconds(createdAt)
}

/** 0: it goes on. */
function ended({ completedAt }: BuildRecord): number {
  return toMilliseconds(completedAt)
}

function toMilliseconds(time: BuildRecord['createdAt']): number {
  return Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6
}

function statusOf({ completedAt, error }: BuildRecord): string {
  if (completedAt === undefined) return 'running'
  if (error === undefined) return 'completed'
  return error.message.includes('context canceled') ? 'canceled' : 'error'
}

function repositoryOf({ frontendAttrs }: BuildRecord): string | undefined {
  const source = frontendAttrs['vcs:source']
  if (source !== undefined) return source
  const [context = ''] = frontendAttrs['context']?.split('#', 1) ?? []
  return /^(?:https?|git|ssh):\/\/|^git@/.test(context) ? context : undefined
}
