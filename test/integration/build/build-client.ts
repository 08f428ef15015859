import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { eventually, type Engine, type Reply } from '../../harness/index.ts'
import { tar, type TarEntry } from '../../harness/tar.ts'

export interface ClassicBuild {
  /** Names of steps that came from the cache: `RUN make`. */
  cached: string[]
  /** Names of steps that were carried out. */
  ran: string[]
  /** All that was told. */
  text: string
  /** The last message's error. */
  error: string | undefined
  id: string
}

/** `POST /build` with a Dockerfile and files; what became of its steps is read from the classic builder's messages. */
export async function classicBuild(
  engine: Engine,
  dockerfile: string,
  options: { files?: Readonly<Record<string, string>>; query?: string } = {},
): Promise<ClassicBuild> {
  const entries = Object.entries({ Dockerfile: dockerfile, ...options.files }).map(([name, text]): TarEntry => ({
    name,
    data: Buffer.from(text),
  }))
  const reply = await engine.request('POST', `/build?${options.query ?? ''}`, tar(entries), { 'Content-Type': 'application/x-tar' })
  assert.equal(reply.status, 200, reply.text)
  return readBuild(reply)
}

function readBuild({ text }: Reply): ClassicBuild {
  const messages = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { stream?: string; error?: string; aux?: { ID?: string } })
  const told = messages.map(({ stream = '' }) => stream).join('')
  const cached: string[] = []
  const ran: string[] = []
  for (const [, name = '', rest = ''] of told.matchAll(/^Step \d+\/\d+ : (.*)\n((?:(?!Step ).*\n)*)/gm)) {
    if (rest.includes('Using cache')) cached.push(name)
    else if (/^(RUN|COPY|ADD)/.test(name)) ran.push(name)
  }
  const id = messages.find(({ aux }) => aux?.ID !== undefined)?.aux?.ID ?? ''
  return { cached, ran, text: told, error: messages.at(-1)?.error, id }
}

/** Programs that steps of this engine run, wherever in namespaces they are. */
export function stepProcesses(engine: Engine): { pid: number; command: string }[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      if (!/^\d+$/.test(entry) || !readFileSync(`/proc/${entry}/cgroup`, 'utf8').includes(`/${engine.cgroupParent}/`)) return []
      return [{ pid: Number(entry), command: readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }]
    } catch {
      return [] // ended while we looked
    }
  })
}

/** Resolves when a step runs `command`; a pattern is for what nobody can know. */
export async function stepRuns(engine: Engine, command: string | RegExp): Promise<void> {
  await eventually(() =>
    assert.ok(
      stepProcesses(engine).some((found) => (typeof command === 'string' ? found.command === command : command.test(found.command))),
    ),
  )
}

/** Resolves when no step runs anything. */
export async function noStepRuns(engine: Engine): Promise<void> {
  await eventually(() => assert.deepEqual(stepProcesses(engine), []))
}
