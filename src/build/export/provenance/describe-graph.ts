import { canonicalJson } from '../../graph/digest.ts'
import type { Op, Vertex } from '../../graph/types.ts'
import type { ProvenanceFacts } from '../../types.ts'
import { withoutLogin } from '../../sources/without-login.ts'

/** A build graph as provenance holds it, and where its steps are written. */
export interface DescribedGraph {
  buildConfig: { llbDefinition: object[]; digestMapping: Record<string, string> }
  source: { infos: object[]; locations: Record<string, object> }
}

/** Left out: what is said elsewhere, what names the client's connection, and proxies, whose addresses may hold passwords. */
const PRIVATE = { kind: undefined, chain: undefined, session: undefined, sharedKeyHint: undefined, proxyEnv: undefined }

/**
 * The graph as steps that name each other, in the order of `graph` (inputs first). The members of an operation are this engine's. Source of the frame: moby/buildkit
 * solver/llbsolver/provenance/types.
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
      // Bytes become text, and members come in one order.
      op: { Op: { [op.kind]: JSON.parse(canonicalJson({ ...op, ...PRIVATE, ...addressOf(op) })) as object } },
      ...(inputs.length === 0 ? {} : { inputs: inputs.map((input) => `${names.get(input.vertex.id) ?? input.vertex.id}:${input.output}`) }),
    }
  })
  const infos =
    source === undefined ? [] : [{ filename: source.name, language: 'Dockerfile', data: Buffer.from(source.text).toString('base64') }]
  return { buildConfig: { llbDefinition, digestMapping: Object.fromEntries(names) }, source: { infos, locations } }
}

function addressOf(op: Op): object {
  if (op.kind === 'git') return { remote: withoutLogin(op.remote) }
  return op.kind === 'http' ? { url: withoutLogin(op.url) } : {}
}
