import type { TextRange } from '#dockerfile'
import { convertDockerfile, createBuildLinter } from '../convert.ts'
import type { Definition } from '../definition.ts'
import type { OutlineNotes } from '../outline-notes.ts'
import { wantedPlatforms } from '../platforms.ts'
import { reachableFrom } from '../stage-list.ts'
import type { StageState } from '../stage-state.ts'
import type { RequestFacts } from './answer-request.ts'
import { VERSION } from './describe.ts'
import { goJson, jsonLocation, jsonSource, textTable } from './request-answer.ts'
import type { RequestAnswer } from './request-answer.ts'
import { stageDescription } from './targets.ts'

interface ArgumentEntry {
  name: string
  description?: string
  value?: string
  location: object
}

/** A secret or an SSH agent. */
interface ClientEntry {
  name: string
  required?: true
  location: object
}

/** `frontend.outline`: what the target can be given from outside. Shape: moby/buildkit frontend/subrequests/outline/outline.go. */
export async function answerOutline(definition: Definition, { options, inputs, host }: RequestFacts): Promise<RequestAnswer> {
  const [platforms] = wantedPlatforms(options.platforms, host.hostPlatform)
  const linter = createBuildLinter(definition, options)
  const { target } = await convertDockerfile({ definition, options, inputs, host, platforms, linter }, false)
  const stages = [...reachableFrom(target)]
  const args = collectArguments(stages)
  const secrets = collectClientNotes(stages, 'secrets')
  const ssh = collectClientNotes(stages, 'agents')
  const name = options.target
  const description = target.from === undefined ? undefined : stageDescription(target.from)
  const outline = {
    ...(name !== '' && { name }),
    ...(description !== undefined && { description }),
    ...(args.length > 0 && { args }),
    ...(secrets.length > 0 && { secrets }),
    ...(ssh.length > 0 && { ssh }),
    sources: [jsonSource(definition.file)],
  }
  return { json: goJson(outline), text: outlineText({ name, description, args, secrets, ssh }), version: VERSION }
}

function collectArguments(stages: readonly StageState[]): ArgumentEntry[] {
  const found = new Map<string, Placed<ArgumentEntry>>()
  for (const { outline } of stages) {
    for (const name of usedArguments(outline)) {
      const note = outline.arguments.get(name)
      if (note === undefined || found.has(name)) continue
      const { definition, value, range } = note
      const entry = {
        name,
        ...(definition.description !== undefined && { description: definition.description }),
        ...(value !== '' && { value }),
        location: jsonLocation(range),
      }
      found.set(name, { entry, range })
    }
  }
  return inOrder(found)
}

/** With those that the defaults of used ones refer to. */
function usedArguments({ arguments: notes, used }: OutlineNotes): Set<string> {
  const all = new Set<string>()
  const pending = [...used]
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (all.has(name)) continue
    all.add(name)
    pending.push(...(notes.get(name)?.uses ?? []))
  }
  return all
}

function collectClientNotes(stages: readonly StageState[], kind: 'secrets' | 'agents'): ClientEntry[] {
  const found = new Map<string, Placed<ClientEntry>>()
  for (const { outline } of stages) {
    for (const [name, { required, range }] of outline[kind]) {
      if (found.has(name)) continue
      found.set(name, { entry: { name, ...(required && { required }), location: jsonLocation(range) }, range })
    }
  }
  return inOrder(found)
}

interface Placed<T> {
  entry: T
  range: TextRange
}

function inOrder<T>(found: ReadonlyMap<string, Placed<T>>): T[] {
  return [...found.values()].sort((a, b) => a.range.start.line - b.range.start.line).map(({ entry }) => entry)
}

interface OutlineParts {
  name: string
  description: string | undefined
  args: readonly ArgumentEntry[]
  secrets: readonly ClientEntry[]
  ssh: readonly ClientEntry[]
}

function outlineText({ name, description, args, secrets, ssh }: OutlineParts): string {
  const head = [['TARGET:', name === '' ? '(default)' : name], ...(description === undefined ? [] : [['DESCRIPTION:', description]])]
  const parts = [
    name === '' && description === undefined ? '' : textTable(head, 1),
    args.length === 0
      ? ''
      : textTable([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? ''])], 3),
    clientTable('SECRET', secrets),
    clientTable('SSH', ssh),
  ]
  return parts.flatMap((part) => (part === '' ? [] : [`${part}\n`])).join('')
}

function clientTable(title: string, parameters: readonly ClientEntry[]): string {
  if (parameters.length === 0) return ''
  return textTable([[title, 'REQUIRED'], ...parameters.map(({ name, required = false }) => [name, required ? 'true' : ''])], 3)
}
