import { readFileSync } from 'node:fs'
import { fromJson, policy, type JsonValue } from '#grpc'
import { parseJson } from '#lib'
import { openFailure } from '../open-failure.ts'

const LIMITS = { maxBytes: 4 << 20, maxDepth: 16 }

/** Rules for sources, in the file that the variable names, as buildx reads them. Throws Error for a file that cannot be read or holds no policy. */
export function readSourcePolicy(env: Readonly<Record<string, string | undefined>>): policy.Policy | undefined {
  const path = env['EXPERIMENTAL_BUILDKIT_SOURCE_POLICY'] ?? ''
  if (path === '') return undefined
  let text: Buffer
  try {
    text = readFileSync(path)
  } catch (error) {
    throw new Error(`failed to read source policy from ${path}: ${openFailure(path, error)}`, { cause: error })
  }
  try {
    return fromJson(policy.PolicySchema, parseJson(text, LIMITS) as JsonValue)
  } catch (error) {
    throw new Error(`failed to read source policy from ${path}: ${(error as Error).message}`, { cause: error })
  }
}
