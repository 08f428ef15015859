import { formatPlatform, type Digest } from '#oci'
import type { Vertex } from './graph/types.ts'
import type { GraphSolver } from './solver/graph-solver.ts'
import { walkGraph } from './solver/walk-graph.ts'
import type { BuildImage, Material } from './types.ts'

/** What statements about a build's images are made of. */
export interface ProvenanceFacts {
  buildId: string
  frontend: string
  options: Readonly<Record<string, string>>
  materials: readonly Material[]
  /** Names of the client's directories that were read, for the Dockerfile as for steps. */
  directories: ReadonlySet<string>
  startedAt: number
  /** The Dockerfile, where there is one. */
  source?: { name: string; text: string }
  graph: readonly Vertex[]
  /** Of a build for several platforms what belongs to each, by the platform's text: its own statement tells of nothing else. */
  platforms?: ReadonlyMap<string, Pick<ProvenanceFacts, 'materials' | 'graph'>>
}

/** What the graph of a build tells, once all of it has been solved. */
export function graphFacts(
  solver: GraphSolver,
  images: readonly BuildImage[],
): Pick<ProvenanceFacts, 'materials' | 'directories' | 'graph' | 'source' | 'platforms'> {
  const graph = verticesOf(images)
  const source = graph.find(({ meta }) => meta.source !== undefined)?.meta.source?.file
  const materials = solver.materials()
  // What no image consists of is everybody's: the repository that the Dockerfile was read from.
  const shared = new Set(materials.keys()).difference(idsOf(graph))
  const own = (image: BuildImage): Pick<ProvenanceFacts, 'materials' | 'graph'> => {
    const vertices = verticesOf([image])
    const used = idsOf(vertices).union(shared)
    return { graph: vertices, materials: [...materials].flatMap(([id, material]) => (used.has(id) ? material : [])) }
  }
  return {
    materials: [...materials.values()],
    directories: solver.directories(),
    graph,
    ...(source && { source }),
    ...(images.length > 1 && { platforms: new Map(images.map((image) => [formatPlatform(image.platform), own(image)])) }),
  }
}

function verticesOf(images: readonly BuildImage[]): Vertex[] {
  return walkGraph(images.flatMap(({ edge }) => edge?.vertex ?? []))
}

function idsOf(vertices: readonly Vertex[]): Set<Digest> {
  return new Set(vertices.map(({ id }) => id))
}
