import assert from 'node:assert/strict'
import { it } from 'node:test'
import { flagUsages } from './flag-usages.ts'
import { bool, int, list, string } from './flag.ts'

it('flagUsages sorts, aligns and shows defaults', () => {
  const table = {
    quiet: bool('Only display IDs', { short: 'q' }),
    last: int('Show n last', { short: 'n', initial: -1 }),
    filter: list('Filter output'),
    restart: string('Policy', { initial: 'no' }),
    secret: bool('hidden', { hidden: true }),
    old: string('old', { deprecated: 'gone' }),
  }
  assert.equal(
    flagUsages(table, 0),
    [
      '      --filter list      Filter output',
      '  -n, --last int         Show n last (default -1)',
      '  -q, --quiet            Only display IDs',
      '      --restart string   Policy (default "no")',
      '',
    ].join('\n'),
  )
})

it('flagUsages wraps at spaces and at line feeds', () => {
  const help = "Format output using a custom template:\n'table':  Print output in table format with column headers (default)"
  assert.equal(
    flagUsages({ format: string(help) }, 60),
    [
      '      --format string   Format output using a custom',
      '                        template:',
      "                        'table':  Print output in",
      '                        table format with column',
      '                        headers (default)',
      '',
    ].join('\n'),
  )
})
