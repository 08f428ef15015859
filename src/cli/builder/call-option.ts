import { parseGoBoolean, splitCsvLine } from '#lib'

/** A question about the Dockerfile instead of a build, and what becomes of the answer. */
export interface CallOption {
  /** As the frontend calls it. */
  request: string
  format: 'text' | 'json'
  /** Findings make no failure. */
  ignoreStatus: boolean
}

const REQUESTS: Readonly<Record<string, string>> = {
  check: 'frontend.lint',
  lint: 'frontend.lint',
  outline: 'frontend.outline',
  targets: 'frontend.targets',
}

/** `outline`, `check,format=json`, `lint,ignorestatus`; undefined for `build`. Throws Error for anything else. */
export function parseCallOption(text: string): CallOption | undefined {
  const [name = '', ...fields] = splitCsvLine(text)
  const request = Object.hasOwn(REQUESTS, name) ? REQUESTS[name] : undefined
  if (name === 'build' && fields.length === 0) return undefined
  if (request === undefined) throw new Error(`invalid value for --call: ${JSON.stringify(text)}`)
  const option: CallOption = { request, format: 'text', ignoreStatus: false }
  for (const field of fields) {
    const [key = '', value] = field.split(/=(.*)/s)
    if (key === 'format' && (value === 'text' || value === 'json')) option.format = value
    else if (key === 'ignorestatus') option.ignoreStatus = value === undefined || parseGoBoolean(value)
    else throw new Error(`invalid value for --call: ${JSON.stringify(text)}: unexpected ${JSON.stringify(field)}`)
  }
  return option
}
