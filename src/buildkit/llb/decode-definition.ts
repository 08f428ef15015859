import type { Edge, Op, SourceRange, Vertex, vertex, VertexMeta } from '#build'
import { invalidArgument, notImplemented } from '#errors'
import { fromBinary, ops } from '#grpc'
import { digestOf, normalisePlatform, type Digest, type Platform } from '#oci'
import { decodeExec } from './decode-exec.ts'
import { decodeFile } from './decode-file.ts'
import { decodeSource } from './decode-source.ts'

export interface DecodeContext {
  makeVertex: typeof vertex
  /** For operations that say none. */
  platform: Platform
  /** File systems that this engine gave out. Throws INVALID_ARGUMENT for what it did not. */
  resolveRef: (identifier: string) => Edge | undefined
  /** Scheme of their identifiers, `://` included. */
  refScheme: string
}

/** Far more than any build has; a stranger's definition must not fill the memory. */
const MAX_OPERATIONS = 20_000
const MAX_INPUTS = 10_000

interface Operation {
  readonly id: Digest
  readonly op: ops.Op
}

/**
 * What a client's definition says is to be built; undefined: an empty file system. Throws INVALID_ARGUMENT, NOT_IMPLEMENTED. Source: moby/buildkit
 * solver/llbsolver/vertex.go.
 */
export function decodeDefinition(definition: ops.Definition, context: DecodeContext): Edge | undefined {
  const { def } = definition
  if (def.length === 0) return undefined
  if (def.length > MAX_OPERATIONS) throw invalidArgument(`invalid definition: more than ${MAX_OPERATIONS} operations`)
  const operations = def.map((bytes): Operation => ({ id: digestOf(bytes), op: fromBinary(ops.OpSchema, bytes) }))
  const last = operations.at(-1)
  const result = last?.op.inputs[0]
  if (last?.op.op.case !== undefined || result === undefined)
    throw invalidArgument('invalid definition: the last operation names no result')
  return new GraphDecoder(definition, operations, context).edge(result)
}

/** Vertices by the digest of the client's bytes. Recursion would end at a few thousand steps that follow each other. */
class GraphDecoder {
  readonly #definition: ops.Definition
  readonly #operations: ReadonlyMap<string, ops.Op>
  readonly #context: DecodeContext
  readonly #decoded = new Map<string, Vertex | Edge | undefined>()

  constructor(definition: ops.Definition, operations: readonly Operation[], context: DecodeContext) {
    this.#definition = definition
    this.#operations = new Map(operations.map(({ id, op }) => [id, op]))
    this.#context = context
  }

  edge(input: ops.Input): Edge | undefined {
    const open = [input.digest]
    const waiting = new Set<string>()
    for (let id = open.at(-1); id !== undefined; id = open.at(-1)) {
      const op = this.#operation(id)
      const missing = op.inputs.filter(({ digest }) => !this.#decoded.has(digest))
      if (this.#decoded.has(id)) open.pop()
      else if (missing.length === 0) {
        this.#decoded.set(id, this.#decode(id, op))
        open.pop()
      } else {
        // Digests of contents cannot form a circle; who can make one anyway must not keep us busy for ever.
        if (waiting.has(id)) throw invalidArgument('invalid definition: its operations form a circle')
        waiting.add(id)
        open.push(...new Set(missing.map(({ digest }) => digest)))
      }
    }
    return this.#edgeOf(input)
  }

  #operation(id: string): ops.Op {
    const op = this.#operations.get(id)
    if (op === undefined) throw invalidArgument(`invalid missing input digest ${id}`)
    if (op.inputs.length > MAX_INPUTS) throw invalidArgument(`invalid operation ${id}: more than ${MAX_INPUTS} inputs`)
    return op
  }

  #edgeOf({ digest, index }: ops.Input): Edge | undefined {
    const found = this.#decoded.get(digest)
    if (found === undefined) return undefined
    if ('output' in found) return found
    if (index < 0n || index > BigInt(MAX_INPUTS)) throw invalidArgument(`invalid output index ${index} of ${digest}`)
    return { vertex: found, output: Number(index) }
  }

  #decode(id: string, { op, inputs, platform }: ops.Op): Vertex | Edge | undefined {
    const { makeVertex, resolveRef, refScheme } = this.#context
    if (op.case === 'source' && op.value.identifier.startsWith(refScheme)) return resolveRef(op.value.identifier)
    const edges = inputs.map((input) => this.#edgeOf(input))
    const meta = this.#meta(id, op)
    const { decoded, order } = this.#decodeOp(op, inputs.length, platform)
    return makeVertex(
      ...withoutScratch(
        decoded,
        order.map((index) => edges[index]),
      ),
      meta,
    )
  }

  /** The operation, and which inputs it reads in which order. */
  #decodeOp(op: ops.Op['op'], inputs: number, wanted: ops.Platform | undefined): { decoded: Op; order: readonly number[] } {
    const order = Array.from({ length: inputs }, (_, index) => index)
    const platform = wanted === undefined ? this.#context.platform : decodePlatform(wanted)
    switch (op.case) {
      case 'source':
        return { decoded: decodeSource(op.value.identifier, op.value.attrs, platform), order: [] }
      case 'exec':
        return { decoded: decodeExec(op.value, inputs, platform), order }
      case 'file':
        return { decoded: decodeFile(op.value, inputs), order }
      case 'merge':
        return { decoded: { kind: 'merge' }, order: op.value.inputs.map(({ input }) => Number(input)).filter((index) => index !== -1) }
      case 'diff': {
        const [lower, upper] = [Number(op.value.lower?.input ?? -1n), Number(op.value.upper?.input ?? -1n)]
        if (Math.max(lower, upper) >= inputs) throw invalidArgument('invalid diff op: an input that is not there')
        return { decoded: { kind: 'diff', lower, upper }, order }
      }
      case 'build':
        throw notImplemented('builds inside of builds (BuildOp) are not implemented in Gantry')
      default:
        throw notImplemented('an operation of a kind that Gantry does not know')
    }
  }

  #meta(id: string, op: ops.Op['op']): VertexMeta {
    const known = this.#definition.metadata[id]
    const group = known?.progressGroup
    const source = this.#source(id)
    return {
      name: known?.description['llb.customname'] ?? defaultName(op),
      ...(known?.ignoreCache === true && { ignoreCache: true }),
      ...(group !== undefined && { progressGroup: { id: group.id, name: group.name, weak: group.weak } }),
      ...(source !== undefined && { source }),
    }
  }

  #source(id: string): SourceRange | undefined {
    const { source } = this.#definition
    const place = source?.locations[id]?.locations[0]
    const range = place?.ranges[0]
    const info = place === undefined ? undefined : source?.infos[place.sourceIndex]
    if (info === undefined || range?.start === undefined) return undefined
    const file = { name: info.filename, text: Buffer.from(info.data).toString() }
    return { file, start: range.start.line, end: range.end?.line ?? range.start.line }
  }
}

export function decodePlatform({ os, architecture, variant, osVersion }: ops.Platform): Platform {
  return normalisePlatform({
    os,
    architecture,
    ...(variant !== '' && { variant }),
    ...(osVersion !== '' && { 'os.version': osVersion }),
  })
}

/**
 * Inputs that are empty file systems are none here: what read them reads {@link Op}'s -1, and the numbers of the others move up. Only references to what this
 * engine gave out can be empty.
 */
function withoutScratch(op: Op, inputs: readonly (Edge | undefined)[]): [Op, Edge[]] {
  const edges = inputs.filter((edge) => edge !== undefined)
  if (edges.length === inputs.length) return [op, edges]
  const moved = (index: number): number => {
    if (index < 0) return index
    if (index >= inputs.length) return index - inputs.length + edges.length
    return inputs[index] === undefined ? -1 : inputs.slice(0, index).filter((edge) => edge !== undefined).length
  }
  switch (op.kind) {
    case 'exec':
      return [{ ...op, mounts: op.mounts.map((mount) => ('input' in mount ? { ...mount, input: moved(mount.input) } : mount)) }, edges]
    case 'file':
      return [
        {
          ...op,
          actions: op.actions.map((action) => ({
            ...action,
            input: moved(action.input),
            ...(action.action === 'copy' && { from: moved(action.from) }),
          })),
        },
        edges,
      ]
    case 'diff':
      return [{ ...op, lower: moved(op.lower), upper: moved(op.upper) }, edges]
    default:
      return [op, edges]
  }
}

/** As BuildKit names what its clients did not. */
function defaultName(op: ops.Op['op']): string {
  switch (op.case) {
    case 'source':
      return op.value.identifier
    case 'exec':
      return op.value.meta?.args.join(' ') ?? 'exec'
    case 'file':
      return op.value.actions.map(({ action }) => fileActionName(action)).join(', ')
    default:
      return op.case ?? 'unknown'
  }
}

function fileActionName(action: ops.FileAction['action']): string {
  switch (action.case) {
    case 'copy':
      return `copy ${action.value.src} ${action.value.dest}`
    case 'mkfile':
    case 'mkdir':
    case 'rm':
      return `${action.case} ${action.value.path}`
    case 'symlink':
      return `symlink ${action.value.target} -> ${action.value.path}`
    default:
      return 'unknown'
  }
}
