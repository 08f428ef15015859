import { sourceExcerpt } from '#dockerfile'
import type { Cli } from '../cli.ts'
import type { CallOption } from './call-option.ts'

type Metadata = Readonly<Record<string, Uint8Array>>

/** `result.json` of `frontend.lint`. */
interface LintResult {
  warnings?: unknown[] | null
  sources?: { filename: string; data: string }[]
  buildError?: { message: string; location?: { ranges?: { start?: { line?: number }; end?: { line?: number } }[] } }
}

/**
 * Shows what a frontend has answered to `--call`: the answer on standard output, what else there is to say on standard error. Gives the status to end with: a
 * check that found something fails, as with buildx.
 */
export function showAnswer(
  cli: Pick<Cli, 'print' | 'stdout' | 'warn'>,
  { request, format, ignoreStatus }: CallOption,
  metadata: Metadata,
): number {
  const result = format !== 'json' && request === 'frontend.lint' ? (JSON.parse(textOf(metadata, 'result.json')) as LintResult) : undefined
  if (result !== undefined && result.buildError === undefined) cli.print(`Check complete, ${found(result.warnings?.length ?? 0)}`)
  cli.stdout.write(textOf(metadata, format === 'json' ? 'result.json' : 'result.txt'))
  if (format === 'json') cli.stdout.write('\n')
  if (result?.buildError !== undefined) cli.warn(`${excerptOf(result)}ERROR: ${result.buildError.message}`)
  return ignoreStatus ? 0 : Number(textOf(metadata, 'result.statuscode')) || 0
}

function found(count: number): string {
  if (count === 0) return 'no warnings found.'
  return `${count === 1 ? '1 warning has' : `${count} warnings have`} been found!`
}

function excerptOf({ buildError, sources = [] }: LintResult): string {
  const range = buildError?.location?.ranges?.[0]
  const [source] = sources
  const start = range?.start?.line
  if (start === undefined || source === undefined) return ''
  const file = { name: source.filename, text: Buffer.from(source.data, 'base64').toString() }
  return sourceExcerpt({ file, start, end: range?.end?.line ?? start })
}

function textOf(metadata: Metadata, name: string): string {
  return Buffer.from(metadata[name] ?? []).toString()
}
