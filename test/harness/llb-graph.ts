import { create, ops, toBinary, type MessageInitShape } from '#grpc'
import { digestOf } from '#oci'

type OpInit = MessageInitShape<typeof ops.OpSchema>

/** One of the file systems that an operation gives. */
export type LlbInput = [vertex: string, output: bigint]

/** A mount of a program's root file system, which it may change. */
export const LLB_ROOT = { input: 0n, dest: '/', output: 0n }

/** Operations put together to a definition, as clients of BuildKit do. Each `add` gives the name under which later ones use it. */
export class LlbGraph {
  readonly #def: Uint8Array[] = []
  readonly #metadata: Record<string, MessageInitShape<typeof ops.OpMetadataSchema>> = {}

  add(op: OpInit['op'], inputs: readonly LlbInput[] = [], name = ''): string {
    const bytes = toBinary(ops.OpSchema, create(ops.OpSchema, { op: op ?? { case: undefined }, inputs: inputs.map(inputMessage) }))
    const digest = digestOf(bytes)
    this.#def.push(bytes)
    this.#metadata[digest] = { description: name === '' ? {} : { 'llb.customname': name } }
    return digest
  }

  image(name: string): LlbInput {
    return [this.add({ case: 'source', value: { identifier: `docker-image://docker.io/library/${name}` } }), 0n]
  }

  run(script: string, inputs: readonly LlbInput[], mounts: MessageInitShape<typeof ops.MountSchema>[], name = ''): string {
    return this.add(
      { case: 'exec', value: { meta: { args: ['/bin/sh', '-c', script], cwd: '/', env: ['PATH=/bin'] }, mounts } },
      inputs,
      name,
    )
  }

  definition(result: LlbInput): MessageInitShape<typeof ops.DefinitionSchema> {
    const terminal = toBinary(ops.OpSchema, create(ops.OpSchema, { inputs: [inputMessage(result)] }))
    return { def: [...this.#def, terminal], metadata: this.#metadata }
  }
}

function inputMessage([digest, index]: LlbInput): { digest: string; index: bigint } {
  return { digest, index }
}
