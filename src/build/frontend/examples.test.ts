import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Edge, Vertex } from '../graph/types.ts'
import type { BuildImage } from '../types.ts'
import { fakeBuild } from './testing/fake-host.ts'

const EXAMPLES = join(import.meta.dirname, '../../../test/dockerfiles')

/** What `example.json` may say, as far as it is about the frontend. */
interface Example {
  args?: string[]
  error?: string
}

describe('examples of Dockerfiles as graphs', () => {
  for (const name of readdirSync(EXAMPLES).filter((name) => /^\d/.test(name))) {
    const settings = join(EXAMPLES, name, 'example.json')
    const example = (existsSync(settings) ? JSON.parse(readFileSync(settings, 'utf8')) : {}) as Example
    const options = optionsOf(example.args ?? [])
    // Arguments that are about secrets, outputs and contexts of the client's machine.
    if (options === undefined) continue
    it(`${name} is well formed`, async () => {
      const dockerfile = readFileSync(join(EXAMPLES, name, 'Dockerfile'), 'utf8')
      try {
        const { result } = await fakeBuild(dockerfile, { options })
        for (const image of result.images) checkImage(image)
      } catch (error) {
        // What fails here must be meant to; what is meant to fail may do so when it is run.
        assert.ok(example.error !== undefined && (error as Error).message.includes(example.error), String(error))
      }
    })
  }
})

function optionsOf(args: readonly string[]): Record<string, string> | undefined {
  const options: Record<string, string> = {}
  for (let i = 0; i < args.length; i += 2) {
    const [flag, value = ''] = args.slice(i, i + 2)
    const [name = '', text = ''] = value.split(/=(.*)/s)
    if (flag === '--target') options['target'] = value
    else if (flag === '--build-arg') options[`build-arg:${name}`] = text
    else if (flag === '--label') options[`label:${name}`] = text
    else return undefined
  }
  return options
}

/** Each layer has its line in the history, and inputs are there. */
function checkImage({ edge, config }: BuildImage): void {
  const inherited = new Set<Vertex>()
  const own = layersOf(edge, inherited)
  const lines = config?.history?.filter(({ empty_layer: empty }) => empty !== true) ?? []
  // The fake images have one layer.
  assert.equal(lines.length, own + inherited.size)
  if (edge !== undefined) checkInputs(edge.vertex, new Set())
}

/** Steps on top of each other down to an image, which is put into `images`. */
function layersOf(edge: Edge | undefined, images: Set<Vertex>): number {
  if (edge === undefined) return 0
  const { op, inputs } = edge.vertex
  if (op.kind === 'image') {
    images.add(edge.vertex)
    return 0
  }
  if (op.kind === 'merge') return 1 + layersOf(inputs[0], images)
  if (op.kind === 'file') return 1 + layersOf(inputs[op.actions[0]?.input ?? -1], images)
  assert.ok(op.kind === 'exec', op.kind)
  const [root] = op.mounts
  assert.ok(root?.type === 'bind' && root.target === '/' && root.output === 0)
  return 1 + layersOf(inputs[root.input], images)
}

function checkInputs(vertex: Vertex, seen: Set<Vertex>): void {
  if (seen.has(vertex)) return
  seen.add(vertex)
  const { op, inputs, meta } = vertex
  assert.notEqual(meta.name, '')
  const used = new Set(usedInputs(vertex))
  for (const index of used) assert.ok(index < inputs.length + (op.kind === 'file' ? op.actions.length : 0))
  // An input that nothing reads would be solved for nothing.
  for (const index of inputs.keys()) assert.ok(used.has(index), `${meta.name}: input ${index}`)
  for (const input of inputs) checkInputs(input.vertex, seen)
}

function usedInputs({ op, inputs }: Vertex): number[] {
  switch (op.kind) {
    case 'file':
      return op.actions.flatMap((action) => (action.action === 'copy' ? [action.input, action.from] : [action.input]))
    case 'exec':
      return op.mounts.flatMap((mount) => ('input' in mount ? [mount.input] : []))
    default:
      return [...inputs.keys()]
  }
}
