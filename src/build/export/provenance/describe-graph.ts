import type { Vertex } from '../../graph/types.ts'
import type { ProvenanceFacts } from '../../provenance-facts.ts'
import { describeOp } from './describe-op.ts'

/** A build graph as provenance holds it, and where its steps are written. */
export interface DescribedGraph {
  buildConfig: { llbDefinition: object[]; digestMapping: Record<string, string> }
  source: { infos: object[]; locations: Record<string, object> }
}

/**
 * The graph as steps that name each other, in the order of `graph` (inputs first). Source: moby/buildkit solver/llbsolver/provenance/types.
 */
export function describeGraph(graph: readonly Vertex[], source: ProvenanceFacts['source']): DescribedGraph {
  const names = new Map(graph.map(({ id }, index) => [id, `step${index}`]))
  const locations: Record<string, object> = {}
  const llbDefinition = graph.map(({ id, op, inputs, meta }) => {
    const name = names.get(id) ?? id
    if (meta.source !== undefined && meta.source.file.name === source?.name) {
      const { start, end } = meta.source
      locations[name] = { locations: [{ ranges: [{ start: { line: start }, end: { line: end } }] }] }
    }
    return {
      id: name,
      op: describeOp(op, inputs.length),
      ...(inputs.length === 0 ? {} : { inputs: inputs.map((input) => `${names.get(input.vertex.id) ?? input.vertex.id}:${input.output}`) }),
    }
  })
  const infos =
    source === undefined ? [] : [{ filename: source.name, language: 'Dockerfile', data: Buffer.from(source.text).toString('base64') }]
  return { buildConfig: { llbDefinition, digestMapping: Object.fromEntries(names) }, source: { infos, locations } }
}
