import { resolve } from 'node:path'
import { parseFields } from './key-value-option.ts'

/** A place of `--cache-from` or `--cache-to`, as the engine wants it. */
export interface CacheOption {
  type: string
  attributes: Record<string, string>
  /** Of a local cache: the directory, which the engine reads and writes through us. */
  directory?: string
}

/** `user/app:cache`, `type=registry,ref=…`, `type=local,src=…`, `type=inline`. Throws Error with buildx's texts. */
export function parseCacheOption(text: string, direction: 'from' | 'to'): CacheOption {
  if (!text.includes('=')) return { type: 'registry', attributes: { ref: text } }
  const { type = '', ...attributes } = Object.fromEntries(parseFields(text))
  if (type === '') throw new Error(`type required form> "${text}"`)
  if (type !== 'local') return { type, attributes }
  const key = direction === 'from' ? 'src' : 'dest'
  const directory = attributes[key]
  if (directory === undefined || directory === '') throw new Error(`${key} is required for local cache`)
  const path = resolve(directory)
  // The engine asks for the store by what it was told.
  return { type, attributes: { ...attributes, [key]: path }, directory: path }
}
