import { addMembers } from '#lib'
import { formatPlatform, normalisePlatform } from '#oci'
import type { Edge } from '../graph/types.ts'
import type { BuildImage, BuildStep } from '../types.ts'
import type { Converted } from './convert.ts'
import { addHistory } from './history.ts'
import { imageFile } from './image-draft.ts'
import { isSameMachine } from './platforms.ts'
import { scanTree } from './scanner.ts'
import type { Scanner } from './scanner.ts'
import { createSealer } from './tree.ts'
import type { Tree } from './tree.ts'

/** What a converted Dockerfile gives: graph, config, steps. Source: moby/buildkit dockerfile2llb/convert.go, finalizeResultImage. */
export function buildImage(converted: Converted, scanner: Scanner | undefined): BuildImage {
  const { conversion, target } = converted
  const seal = createSealer()
  const { image } = target
  addLabels(converted)
  const platform = normalisePlatform(conversion.platforms.target)
  const statements = scanner === undefined ? undefined : seal(scanTree(scanner, converted))
  return {
    id: formatPlatform(platform),
    platform,
    edge: seal(target.tree),
    config: imageFile({ ...image, platform: imagePlatform(converted) }, conversion.created),
    steps: buildSteps(converted, seal),
    ...(statements !== undefined && { statements }),
  }
}

/** Labels that the client gives. The classic builder had an instruction of its own for each, at the end of the Dockerfile. */
function addLabels({ conversion, target }: Converted): void {
  const { options, created } = conversion
  const { image } = target
  const labels = [...options.labels].sort(([a], [b]) => (a < b ? -1 : 1))
  if (labels.length > 0) addMembers((image.config.Labels ??= {}), labels)
  if (options.history !== 'classic') return
  for (const [key, value] of labels) {
    const text = `LABEL ${key}=${value}`
    addHistory(image, { text, kind: 'metadata', hasLayer: false }, { style: 'classic', created })
    target.steps.push({ text, tree: undefined })
  }
}

/** The platform that was asked for; else what the base is for. */
function imagePlatform({ conversion: { platforms }, target: { image } }: Converted): BuildImage['platform'] {
  if (platforms.implicit) return normalisePlatform(image.platform)
  const wanted = platforms.target
  const keepsVariant = wanted.variant === undefined && image.platform.variant !== undefined && isSameMachine(wanted, image.platform)
  return normalisePlatform({ ...wanted, ...(keepsVariant && { variant: image.platform.variant }) })
}

/** Instructions of needed stages in the order of the Dockerfile, behind ARG in front of the first FROM. */
function buildSteps({ conversion, needed }: Converted, seal: (tree: Tree) => Edge | undefined): BuildStep[] {
  const global = conversion.definition.dockerfile.globalArgs.map(({ source }) => ({
    text: source,
    vertex: undefined,
    role: 'global' as const,
  }))
  const stages = conversion.stages.all.filter((stage) => needed.has(stage))
  const steps = stages.flatMap((stage) => stage.steps.map(({ tree, ...step }) => ({ ...step, vertex: seal(tree)?.vertex.id })))
  return [...global, ...steps]
}
