import { OPTIONS, UNSUPPORTED, type OptionName, type OptionRow, type OptionValues } from './options.ts'
import { fromText, type OptionValue } from './values.ts'

/** Options that were given, by flag name. */
export type GivenOptions = Partial<OptionValues>

/**
 * The daemon's command line: `--flag value`, `--flag=value`, `-H value`, `-Hvalue`, `-D`. A boolean takes a value only behind `=`.
 * Throws Error with dockerd's text for what is unknown, refused or malformed.
 */
export function parseDaemonFlags(args: readonly string[]): GivenOptions {
  const given: Partial<Record<OptionName, OptionValue>> = {}
  const words = [...args]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (!word.startsWith('-') || word === '-') throw new Error(`"dockerd" accepts no arguments: ${JSON.stringify(word)}`)
    const { row, shown, value } = word.startsWith('--') ? longFlag(word) : shortFlag(word)
    const text = value ?? (row.kind === 'boolean' ? 'true' : words.shift())
    if (text === undefined) throw new Error(`flag needs an argument: ${shown}`)
    try {
      given[row.flag] = fromText(row.kind, text, given[row.flag])
    } catch (error) {
      throw new Error(`invalid argument ${JSON.stringify(text)} for ${JSON.stringify(shown)} flag: ${(error as Error).message}`, {
        cause: error,
      })
    }
  }
  // `fromText` gives each kind its type; the table ties names to kinds.
  return given as GivenOptions
}

interface Found {
  row: OptionRow & { flag: OptionName }
  shown: string
  value: string | undefined
}

function longFlag(word: string): Found {
  const at = word.indexOf('=')
  const flag = word.slice(2, at < 0 ? undefined : at)
  const row = OPTIONS.find((option) => option.flag === flag && option.fileOnly !== true)
  if (row === undefined) throw new Error(UNSUPPORTED.has(flag) ? `flag --${flag} is not supported` : `unknown flag: --${flag}`)
  return { row, shown: row.short === undefined ? `--${flag}` : `-${row.short}, --${flag}`, value: at < 0 ? undefined : word.slice(at + 1) }
}

function shortFlag(word: string): Found {
  const short = word.slice(1, 2)
  const row = OPTIONS.find((option) => option.short === short)
  if (row === undefined) throw new Error(`unknown shorthand flag: '${short}' in ${word}`)
  const rest = word.slice(2).replace(/^=/, '')
  if (row.kind === 'boolean' && rest !== '' && !word.startsWith(`-${short}=`))
    throw new Error(`unknown shorthand flag: '${rest[0]}' in ${word}`)
  return { row, shown: `-${short}, --${row.flag}`, value: rest === '' ? undefined : rest }
}
