/** Small pieces of text that several lists share. */

/** At most `columns` wide, with an ellipsis in place of what is cut. Wide characters (East Asian) count two. */
export function ellipsis(text: string, columns: number): string {
  if (columns <= 0) return ''
  const characters = Array.from(text)
  let width = 0
  for (const [at, character] of characters.entries()) {
    width += isWide(character) ? 2 : 1
    if (width > columns) {
      let kept = characters.slice(0, at)
      while (displayWidth(kept) > columns - 1) kept = kept.slice(0, -1)
      return `${kept.join('')}…`
    }
  }
  return text
}

function displayWidth(characters: readonly string[]): number {
  return characters.reduce((sum, character) => sum + (isWide(character) ? 2 : 1), 0)
}

function isWide(character: string): boolean {
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u.test(
    character,
  )
}

/** Text of strangers (names of files in images), in which nothing moves the cursor of a terminal. */
export function printable(text: string): string {
  return Array.from(text, (character) => (isPrintable(character) ? character : escaped(character))).join('')
}

/** Go's strconv.Quote. */
export function quote(text: string): string {
  let quoted = '"'
  for (const character of text) quoted += QUOTED[character] ?? (isPrintable(character) ? character : escaped(character))
  return `${quoted}"`
}

const QUOTED: Record<string, string> = {
  '"': String.raw`\"`,
  '\\': String.raw`\\`,
  '\x07': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
}

function isPrintable(character: string): boolean {
  return character === ' ' || !/[\p{C}\p{Z}]/u.test(character)
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x80) return String.raw`\x` + code.toString(16).padStart(2, '0')
  return code < 0x10000 ? String.raw`\u` + code.toString(16).padStart(4, '0') : String.raw`\U` + code.toString(16).padStart(8, '0')
}

/** `a=1,b=2`, by key. */
export function labelsText(labels: Readonly<Record<string, string>> | null | undefined): string {
  const entries = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.map(([key, value]) => `${key}=${value}`).join(',')
}

/** Go's time.Time.String of a Unix time in the local zone: `2024-05-06 07:08:09 +0200 CEST`. */
export function goTime(unixSeconds: number): string {
  const date = new Date(unixSeconds * 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone} ${zoneName(date, offset)}`
}

function zoneName(date: Date, offset: number): string {
  if (offset === 0 && new Intl.DateTimeFormat('en').resolvedOptions().timeZone === 'UTC') return 'UTC'
  // An abbreviation such as CEST; Intl writes GMT+2 where it has none in English.
  return (
    new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(date).find((part) => part.type === 'timeZoneName')?.value ??
    ''
  )
}

/** Names in the order people expect: runs of digits count as numbers, so `a2` comes before `a10`. */
export function naturalCompare(a: string, b: string): number {
  const left = a.match(/\d+|\D+/g) ?? []
  const right = b.match(/\d+|\D+/g) ?? []
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [x = '', y = ''] = [left[at], right[at]]
    if (x === y) continue
    if (/^\d/.test(x) && /^\d/.test(y)) {
      const difference = Number(x) - Number(y)
      if (difference !== 0) return difference
      return y.length - x.length // more leading zeros first
    }
    return x < y ? -1 : 1
  }
  return left.length - right.length
}
