import assert from 'node:assert/strict'
import type { Client, gateway, MessageInitShape } from '#grpc'
import { LLB_ROOT, LlbGraph } from '../../harness/llb-graph.ts'

type Bridge = Client<typeof gateway.LLBBridge>
type Result = MessageInitShape<typeof gateway.ResultSchema>

/** What a frontend was told. */
export interface Variables {
  environment: Readonly<Record<string, string>>
  /** BUILDKIT_FRONTEND_OPT_… */
  options: Readonly<Record<string, string>>
}

/** What a frontend may do, by the word that asks for it. */
export const SCENARIOS: Readonly<Record<string, (bridge: Bridge, variables: Variables) => Promise<Result>>> = {
  shell,
  nested,
  again: (bridge, { options }) => solve(bridge, { frontend: 'gateway.v0', frontendOpt: { ...options } }),
  inputs,
  container,
  fails,
  hangs: () => new Promise(() => {}),
  nothing: async () => ({ result: { case: 'ref', value: { id: 'never-given-out' } } }),
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

async function solve(bridge: Bridge, request: Omit<MessageInitShape<typeof gateway.SolveRequestSchema>, '$typeName'>): Promise<Result> {
  const { result } = await bridge.solve({ ...request, allowResultReturn: true, allowResultArrayRef: true })
  assert.ok(result)
  return result
}

/** The id of a result's only file system. */
function refOf({ result }: Result): string {
  if (result?.case !== 'ref') throw new Error(`one file system was expected: ${result?.case}`)
  return result.value.id ?? ''
}

/** The config of `starter`, with one label more. */
async function config(bridge: Bridge, label: string): Promise<Uint8Array> {
  const { config: bytes } = await bridge.resolveImageConfig({ ref: 'docker.io/library/starter:latest' })
  const base = JSON.parse(text(bytes)) as { config: object }
  return Buffer.from(JSON.stringify({ ...base, config: { ...base.config, Labels: { label } } }))
}

/** A language of its own: the build's file is a script, which is run over `starter`. */
async function shell(bridge: Bridge, { environment, options }: Variables): Promise<Result> {
  const { frontendCaps, workers } = await bridge.ping({})
  assert.ok(frontendCaps.some(({ id }) => id === 'gateway.solve.evaluate'))
  assert.equal((JSON.parse(environment['BUILDKIT_WORKERS'] ?? '') as { id: string }[])[0]?.id, workers[0]?.id)

  const filename = options['filename'] ?? ''
  const files = new LlbGraph()
  const attrs = { 'local.session': environment['BUILDKIT_SESSION_ID'] ?? '', 'local.followpaths': JSON.stringify([filename]) }
  const local = files.add({ case: 'source', value: { identifier: 'local://dockerfile', attrs } }, [], 'load script')
  const ref = refOf(await solve(bridge, { definition: files.definition([local, 0n]) }))
  const script = text((await bridge.readFile({ ref, filePath: filename })).data)
  assert.equal((await bridge.statFile({ ref, path: filename })).stat?.size, BigInt(script.length))
  assert.deepEqual(
    (await bridge.readDir({ ref, dirPath: '/' })).entries.map(({ path }) => text(path)),
    [filename],
  )

  const graph = new LlbGraph()
  const step = graph.run(script, [graph.image('starter:latest')], [LLB_ROOT], 'run script')
  const result = await solve(bridge, { definition: graph.definition([step, 0n]), evaluate: true })
  return { ...result, metadata: { 'containerimage.config': await config(bridge, 'shell') } }
}

/** Another file, read by the frontend for Dockerfiles. */
async function nested(bridge: Bridge, { options }: Variables): Promise<Result> {
  return await solve(bridge, { frontend: 'dockerfile.v0', frontendOpt: { ...options, filename: 'real.Dockerfile' } })
}

/** The client's own definition, and a program run in it. */
async function inputs(bridge: Bridge): Promise<Result> {
  const { definitions } = await bridge.inputs({})
  assert.ok(definitions['base'])
  return await solve(bridge, { definition: definitions['base'] })
}

/** `starter`, with what a program says that runs beside the build. */
async function container(bridge: Bridge): Promise<Result> {
  const graph = new LlbGraph()
  const result = await solve(bridge, { definition: graph.definition(graph.image('starter:latest')) })
  const id = 'beside'
  await bridge.newContainer({ containerId: id, mounts: [{ dest: '/', resultId: refOf(result) }] })
  const meta = { args: ['sh', '-c', 'printf said; exit 5'], cwd: '/', env: ['PATH=/bin'] }
  const done = Promise.withResolvers<void>()
  async function* messages(): AsyncGenerator<MessageInitShape<typeof gateway.ExecMessageSchema>> {
    yield { processId: 'program', input: { case: 'init', value: { containerId: id, meta } } }
    await done.promise
  }
  let said = ''
  for await (const { input } of bridge.execProcess(messages())) {
    if (input.case === 'file') said += text(input.value.data)
    if (input.case === 'exit') said += ` ${input.value.code}`
    if (input.case === 'done') done.resolve()
  }
  await bridge.releaseContainer({ containerId: id })
  return { ...result, metadata: { 'containerimage.config': await config(bridge, said) } }
}

/** An error of a step. */
async function fails(bridge: Bridge): Promise<Result> {
  const graph = new LlbGraph()
  const step = graph.run('exit 3', [graph.image('starter:latest')], [LLB_ROOT])
  return await solve(bridge, { definition: graph.definition([step, 0n]), evaluate: true })
}
