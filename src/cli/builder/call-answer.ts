import type { Cli } from '../cli.ts'

type Metadata = Readonly<Record<string, Uint8Array>>

/** What a frontend has answered to `--call`, for people. */
export function printAnswer(cli: Pick<Cli, 'print'>, metadata: Metadata): void {
  const text = textOf(metadata, 'result.txt')
  const errors = textOf(metadata, 'result.statuscode')
  if (text === '' && (errors === '' || errors === '0')) cli.print('Check complete, no warnings found.')
  else cli.print(text.replace(/\n$/, ''))
}

/** Status to end with: a check that found something fails, as with buildx. */
export function callStatus(metadata: Metadata): number {
  const given = Number(textOf(metadata, 'result.statuscode'))
  if (given !== 0 && Number.isInteger(given)) return given
  return warnings(metadata) > 0 ? 1 : 0
}

function warnings(metadata: Metadata): number {
  const text = textOf(metadata, 'result.json')
  if (text === '') return 0
  const { warnings: found } = JSON.parse(text) as { warnings?: unknown[] | null }
  return found?.length ?? 0
}

function textOf(metadata: Metadata, name: string): string {
  return Buffer.from(metadata[name] ?? []).toString()
}
