import { argumentNames } from './argument-names.ts'
import type { BuildStep } from '../types.ts'

/** They need no ARG. */
const PROXY = /^(?:https?|ftp|no|all)_proxy$/i

const PREFIX = 'build-arg:'

/** Build arguments that no ARG of what was built knows, sorted: misspelt ones, mostly. Source: moby daemon/builder/dockerfile/buildargs.go. */
export function unusedArguments(options: Readonly<Record<string, string>>, steps: readonly BuildStep[]): string[] {
  const known = new Set(steps.flatMap(({ text }) => argumentNames(text)))
  return Object.keys(options)
    .filter((key) => key.startsWith(PREFIX))
    .map((key) => key.slice(PREFIX.length))
    .filter((name) => !known.has(name) && !PROXY.test(name))
    .sort()
}
