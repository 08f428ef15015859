/**
 * The instructions of `import --change` and `commit --change`: Dockerfile lines that change an image's configuration only.
 * Sources: moby builder/dockerfile/builder.go BuildFromConfig; buildkit frontend/dockerfile/instructions/parse.go.
 */

import { posix } from 'node:path'
import { invalidArgument } from '#errors'
import type { ImageProcessConfig } from '#oci'
import { parseHealthcheck } from './healthcheck.ts'
import { expandWord, splitOnce, splitWords } from './words.ts'

type Instruction = (config: ImageProcessConfig, argument: string, name: string) => void

/** The only instructions that need no container and no file. */
const INSTRUCTIONS: Readonly<Record<string, Instruction>> = {
  CMD: (config, argument) => (config.Cmd = commandLine(config, argument)),
  ENTRYPOINT: (config, argument) => {
    config.Entrypoint = commandLine(config, argument)
  },
  ENV: (config, argument, name) => {
    const before = config.Env ?? []
    for (const [key, value] of namedValues(argument, name, before)) setEnv(config, key, value)
  },
  LABEL: (config, argument, name) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(namedValues(argument, name, config.Env ?? [])) }
  },
  EXPOSE: (config, argument) => {
    const ports = splitWords(argument)
      .map((word) => expandWord(word, config.Env ?? []))
      .flatMap(portRange)
    config.ExposedPorts = { ...config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) }
  },
  HEALTHCHECK: (config, argument) => (config.Healthcheck = parseHealthcheck(argument, (command) => commandLine(config, command))),
  ONBUILD: (config, argument) => {
    refuseBadTrigger(argument)
    config.OnBuild = [...(config.OnBuild ?? []), argument]
  },
  STOPSIGNAL: (config, argument) => (config.StopSignal = oneWord(config, argument, 'STOPSIGNAL')),
  USER: (config, argument) => (config.User = oneWord(config, argument, 'USER')),
  VOLUME: (config, argument) => {
    const paths = jsonList(argument) ?? splitWords(argument)
    const volumes = paths.map((path) => [expandWord(path, config.Env ?? []), {}] as const)
    if (volumes.some(([path]) => path === '')) throw invalidArgument('VOLUME specified can not be an empty string')
    config.Volumes = { ...config.Volumes, ...Object.fromEntries(volumes) }
  },
  WORKDIR: (config, argument) => {
    const path = expandWord(argument, config.Env ?? [])
    config.WorkingDir = posix.resolve('/', config.WorkingDir ?? '', path)
  },
}

/** `config` with the instructions carried out, in order. Throws INVALID_ARGUMENT with Docker's words. */
export function applyChanges(config: ImageProcessConfig, changes: readonly string[]): ImageProcessConfig {
  const changed = structuredClone(config)
  for (const change of changes) {
    // A line that ends in a backslash goes on in the next.
    const [name, argument] = splitInstruction(change.replaceAll(/\\[ \t]*\r?\n/g, ''))
    if (name === '' || name.startsWith('#')) continue
    const instruction = INSTRUCTIONS[name.toUpperCase()]
    if (instruction === undefined) throw invalidArgument(`${name.toLowerCase()} is not a valid change command`)
    if (argument === '') throw invalidArgument(`${name.toUpperCase()} requires at least one argument`)
    instruction(changed, argument, name.toUpperCase())
  }
  return changed
}

function splitInstruction(line: string): [name: string, argument: string] {
  const match = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line)
  return [match?.[1] ?? '', match?.[2] ?? '']
}

/** The JSON form as it is; anything else is a line for the shell. */
function commandLine(config: ImageProcessConfig, text: string): string[] {
  return jsonList(text) ?? [...(config.Shell ?? ['/bin/sh', '-c']), text]
}

function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list.every((entry) => typeof entry === 'string') ? list : undefined
  } catch {
    return undefined // as Docker: then it is a shell line that begins with a bracket
  }
}

/** `K=V K2="a b"`, or the old form `K everything else`. */
function namedValues(argument: string, instruction: string, env: readonly string[]): [string, string][] {
  const words = splitWords(argument)
  const [first = ''] = words
  if (!first.includes('=')) {
    const [name, value] = splitInstruction(argument)
    if (value === '') throw invalidArgument(`${instruction} must have two arguments`)
    return [[expandWord(name, env), expandWord(value, env)]]
  }
  return words.map((word) => {
    if (!word.includes('='))
      throw invalidArgument(`Syntax error - can't find = in ${JSON.stringify(word)}. Must be of the form: name=value`)
    const [name, value] = splitOnce(word, '=').map((part) => expandWord(part, env)) as [string, string]
    if (name === '') throw invalidArgument(`${instruction} names can not be blank`)
    return [name, value]
  })
}

function setEnv(config: ImageProcessConfig, name: string, value: string): void {
  const env = [...(config.Env ?? [])]
  const index = env.findIndex((entry) => entry.startsWith(`${name}=`))
  if (index < 0) env.push(`${name}=${value}`)
  else env[index] = `${name}=${value}`
  config.Env = env
}

/** `80`, `80/udp`, `8000-8010/tcp` → `80/tcp` … */
function portRange(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? first)
  if (match === null || last > 65_535 || first > last) throw invalidArgument(`invalid containerPort: ${text}`)
  const protocol = (match[3] ?? 'tcp').toLowerCase()
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`)
}

function oneWord(config: ImageProcessConfig, argument: string, instruction: string): string {
  const words = splitWords(argument)
  if (words.length !== 1) throw invalidArgument(`${instruction} requires exactly one argument`)
  return expandWord(words[0] ?? '', config.Env ?? [])
}

function refuseBadTrigger(trigger: string): void {
  const name = splitInstruction(trigger)[0].toUpperCase()
  if (name === 'ONBUILD') throw invalidArgument("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
  if (name === 'FROM' || name === 'MAINTAINER') throw invalidArgument(`${name} isn't allowed as an ONBUILD trigger`)
}
