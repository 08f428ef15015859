import type { Option } from './options.ts'

/** Flags that were given, by name. */
export type GivenOptions = ReadonlyMap<string, string | boolean | string[]>

/** `--flag value`, `--flag=value`, `--switch`, `--switch=false`. Throws Error with the texts of Docker's programs. */
export function parseOptions(options: readonly Option[], args: readonly string[], command: string): GivenOptions {
  const given = new Map<string, string | boolean | string[]>()
  const words = [...args]
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === '-h') word = '--help'
    if (!word.startsWith('--')) {
      if (word.startsWith('-') && word !== '-') throw new Error(`unknown shorthand flag: '${word.charAt(1)}' in ${word}`)
      throw new Error(`"${command}" accepts no arguments`)
    }
    const at = word.indexOf('=')
    const name = word.slice(2, at < 0 ? undefined : at)
    const option = options.find(({ flag }) => flag === name)
    if (option === undefined) throw new Error(`unknown flag: --${name}`)
    const value = at >= 0 ? word.slice(at + 1) : option.kind === 'switch' ? 'true' : words.shift()
    if (value === undefined) throw new Error(`flag needs an argument: --${name}`)
    if (option.kind === 'switch') given.set(name, truth(value, name))
    else if (option.kind === 'text') given.set(name, value)
    else given.set(name, [...((given.get(name) as string[] | undefined) ?? []), value])
  }
  return given
}

function truth(text: string, flag: string): boolean {
  if (text === 'true' || text === '1') return true
  if (text === 'false' || text === '0') return false
  throw new Error(`invalid argument ${JSON.stringify(text)} for "--${flag}" flag: wanted is true or false`)
}
