/** One way to authenticate that a server offers. */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  scheme: string
  /** Names in lower case. */
  parameters: Readonly<Record<string, string>>
}

/** Challenges of one response that are looked at; nobody offers more. */
const MAX_CHALLENGES = 16

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y
const TOKEN68 = /[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))/y
const SPACE = /[ \t]*/y
const SEPARATORS = /[ \t,]*/y
const EQUALS = /[ \t]*=[ \t]*/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/y

/**
 * The challenges of a `WWW-Authenticate` header, several of them joined by commas. What follows something malformed is left out.
 * Source: RFC 9110, 11.2 and 11.6.1.
 */
export function parseChallenges(header: string | undefined): Challenge[] {
  const challenges: Challenge[] = []
  const scanner = createScanner(header ?? '')
  while (challenges.length < MAX_CHALLENGES) {
    scanner.take(SEPARATORS)
    const scheme = scanner.take(TOKEN)
    if (scheme === undefined) break
    scanner.take(SPACE)
    const parameters = readParameters(scanner)
    challenges.push({ scheme: scheme.toLowerCase(), parameters })
  }
  return challenges
}

interface Scanner {
  /** What `pattern` (sticky) matches here: its group or the whole; undefined, without a step, when it does not. */
  take(pattern: RegExp): string | undefined
  mark(): number
  back(mark: number): void
}

function createScanner(text: string): Scanner {
  let at = 0
  return {
    take(pattern) {
      pattern.lastIndex = at
      const match = pattern.exec(text)
      if (match === null) return undefined
      at += match[0].length
      return match[1] ?? match[0]
    },
    mark: () => at,
    back(mark) {
      at = mark
    },
  }
}

/** Reads until something that is no parameter: the next scheme, or the end. */
function readParameters(scanner: Scanner): Record<string, string> {
  const parameters: Record<string, string> = Object.create(null) as Record<string, string>
  for (;;) {
    const before = scanner.mark()
    scanner.take(SEPARATORS)
    const name = scanner.take(TOKEN)
    if (name === undefined || scanner.take(EQUALS) === undefined) {
      scanner.back(before)
      // `Negotiate dG9rZW4=`: not a way we could take, but what follows may be.
      if (Object.keys(parameters).length === 0) scanner.take(TOKEN68)
      return parameters
    }
    const quoted = scanner.take(QUOTED)
    const value = quoted === undefined ? scanner.take(TOKEN) : quoted.replace(/\\(.)/g, '$1')
    if (value === undefined) return parameters
    parameters[name.toLowerCase()] = value
  }
}
