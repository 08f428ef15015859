import { expandWord } from '#dockerfile'
import type { ExpandOptions, Variables } from '#dockerfile'
import type { Platform } from '#oci'
import type { Environment } from './environment.ts'
import { platformPrefix } from './platforms.ts'

/** Counts the steps of a stage, for their names. */
export interface StepCounter {
  /** `build`, `stage-1`; empty when there is one stage only. */
  stage: string
  total: number
  /** Of the step that was named last. */
  index: number
  /** Several platforms are built at the same time. */
  readonly withPlatform: boolean
}

export interface StepNameFacts {
  platform: Platform
  /** For cross compilation: `linux/amd64->arm64`. */
  variables: Environment
  onbuild?: boolean
}

/** `[build 2/12] RUN make`: takes the next number of the stage. Source: moby/buildkit dockerfile2llb/convert.go, prefixCommand. */
export function nextStepName(counter: StepCounter, text: string, facts: StepNameFacts): string {
  if (counter.total === 0) return text
  counter.index++
  return stepName(counter, text, facts)
}

/** With the number that was given last: a step that consists of several vertices. */
export function stepName(counter: StepCounter, text: string, { platform, variables, onbuild = false }: StepNameFacts): string {
  if (counter.total === 0) return text
  const number = String(counter.index).padStart(String(counter.total).length)
  const prefix = [counter.withPlatform ? platformPrefix(platform, variables) : '', counter.stage, `${number}/${counter.total}`]
  return `[${prefix.filter((part) => part !== '').join(' ')}] ${onbuild ? 'ONBUILD ' : ''}${text}`
}

/** An instruction as progress displays show it: the first word in upper case, variables with their values. What cannot be expanded stays as it is. */
export function displayText(
  source: string,
  variables: Variables,
  expansion: Pick<ExpandOptions, 'escape' | 'effort'>,
  style: 'words' | 'command' = 'words',
): string {
  const text = source.replace(/^\S+/, (word) => word.toUpperCase())
  // The shell reads quotes and unknown variables of a command by itself.
  const options = style === 'command' ? { ...expansion, keepQuotes: true, keepUnset: true } : expansion
  try {
    return expandWord(text, variables, options).text
  } catch {
    return text
  }
}

/** Of a heredoc its first line: `RUN <<EOF (apt-get update...)`. */
export function summarise(content: string): string {
  const [first = '', ...rest] = content.trim().split(/\r?\n/)
  return rest.length > 0 ? `${first}...` : first
}
