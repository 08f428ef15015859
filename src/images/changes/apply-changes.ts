/**
 * The instructions of `import --change` and `commit --change`: Dockerfile lines that change an image's configuration only. The language is `#dockerfile`'s, what
 * they do is here. Source: moby daemon/builder/dockerfile/builder.go BuildFromConfig, dispatchers.go.
 */

import { posix } from 'node:path'
import { commandArguments, Effort, expandWord, healthConfig, parseChanges, parseExposedPorts } from '#dockerfile'
import type { ChangeInstruction, CommandLine, EscapeCharacter, Expansion, KeyValue } from '#dockerfile'
import { invalidArgument } from '#errors'
import { parseSignal } from '#kernel'
import { addMembers } from '#lib'
import type { ImageProcessConfig } from '#oci'

/** As much text as one port becomes in the config. */
const PORT_EFFORT = 16

/** What the instructions work on. */
interface Draft {
  /** Its `Env` is written at the end. */
  readonly config: ImageProcessConfig
  readonly variables: Map<string, string>
  readonly escape: EscapeCharacter
  readonly effort: Effort
  /** CMD has been among the changes. */
  hasOwnCommand: boolean
}

type Handlers = { readonly [K in ChangeInstruction['kind']]: (draft: Draft, instruction: ChangeInstruction & { kind: K }) => void }

const HANDLERS: Handlers = {
  cmd: (draft, { command }) => {
    draft.config.Cmd = commandLine(draft, command, 'CMD')
    draft.hasOwnCommand = true
  },
  entrypoint: (draft, { command }) => {
    draft.config.Entrypoint = commandLine(draft, command, 'ENTRYPOINT')
    // The container's command was for its own ENTRYPOINT, and goes with it.
    if (draft.config.Entrypoint.length > 0 && !draft.hasOwnCommand) delete draft.config.Cmd
  },
  env: (draft, { entries }) => {
    for (const [name, value] of expandPairs(draft, entries)) draft.variables.set(name, value)
  },
  expose: (draft, { ports }) => {
    for (const word of ports.flatMap((written) => expand(draft, written).words)) {
      const exposed = parseExposedPorts(word).ports
      draft.effort.spend(exposed.length * PORT_EFFORT)
      addNames((draft.config.ExposedPorts ??= {}), exposed)
    }
  },
  healthcheck: ({ config }, instruction) => {
    config.Healthcheck = healthConfig(instruction)
  },
  label: (draft, { entries }) => {
    addMembers((draft.config.Labels ??= {}), expandPairs(draft, entries))
  },
  onbuild: ({ config }, { trigger }) => {
    const triggers = (config.OnBuild ??= [])
    triggers.push(trigger)
  },
  stopsignal: (draft, { signal: written }) => {
    const signal = expand(draft, written).text
    parseSignal(signal)
    draft.config.StopSignal = signal
  },
  user: (draft, { user }) => {
    draft.config.User = expand(draft, user).text
  },
  volume: (draft, { paths: written }) => {
    const paths = written.map((path) => expand(draft, path).text)
    if (paths.includes('')) throw invalidArgument('VOLUME specified can not be an empty string')
    addNames((draft.config.Volumes ??= {}), paths)
  },
  workdir: (draft, { path: written }) => {
    const path = expand(draft, written).text
    if (path === '') throw invalidArgument('cannot normalize nothing')
    draft.config.WorkingDir = posix.resolve('/', draft.config.WorkingDir ?? '', path)
  },
}

/** `config` with the instructions carried out, in order. Throws INVALID_ARGUMENT with Docker's words. */
export function applyChanges(config: ImageProcessConfig, changes: readonly string[]): ImageProcessConfig {
  // One text, as in Docker: a change may hold several instructions, or go on in the next one.
  const { escape, instructions } = parseChanges(changes.join('\n'))
  const changed = structuredClone(config)
  const variables = new Map(changed.Env?.map(splitVariable))
  const draft: Draft = { config: changed, variables, escape, effort: new Effort(), hasOwnCommand: false }
  for (const instruction of instructions) {
    const handler = HANDLERS[instruction.kind] as (draft: Draft, instruction: ChangeInstruction) => void
    handler(draft, instruction)
  }
  if (instructions.some(({ kind }) => kind === 'env')) changed.Env = Array.from(variables, ([name, value]) => `${name}=${value}`)
  return changed
}

function splitVariable(entry: string): [name: string, value: string] {
  const [name = ''] = entry.split('=', 1)
  return [name, entry.slice(name.length + 1)]
}

function commandLine({ config }: Draft, command: CommandLine, name: string): string[] {
  if (command.form === 'shell' && command.args.length === 0) throw invalidArgument(`${name} requires at least one argument`)
  return commandArguments(command, config.Shell)
}

/** All values see the variables as they were before the instruction. */
function expandPairs(draft: Draft, entries: readonly KeyValue[]): [key: string, value: string][] {
  return entries.map(({ key, value }) => [expand(draft, key).text, expand(draft, value).text])
}

function expand({ variables, escape, effort }: Draft, word: string): Expansion {
  return expandWord(word, variables, { escape, effort })
}

function addNames(map: Record<string, object>, names: readonly string[]): void {
  addMembers(
    map,
    names.map((name) => [name, {}]),
  )
}
