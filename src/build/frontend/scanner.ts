import { invalidArgument } from '#errors'
import { parseGoBoolean, splitCsvLine } from '#lib'
import { formatPlatform, fullString, parseReference, withDefaultTag } from '#oci'
import type { Platform } from '#oci'
import { PLAIN_EXEC } from '../graph/plain-exec.ts'
import type { ExecOp } from '../graph/types.ts'
import type { FrontendHost, ResolvedImage } from '../types.ts'
import { imageSource } from './context/image-source.ts'
import type { Converted } from './convert.ts'
import type { FrontendOptions } from './options.ts'
import type { StageState } from './stage-state.ts'
import { Inputs, stepTree } from './tree.ts'
import type { Tree } from './tree.ts'

/** A program in an image that writes what file systems are made of: a bill of materials (SBOM). */
export interface ScannerOptions {
  readonly reference: string
  /** Given to it as variables `BUILDKIT_SCAN_<name>`. */
  readonly parameters: readonly (readonly [name: string, value: string])[]
}

export interface Scanner extends ScannerOptions {
  readonly platform: Platform
  readonly image: ResolvedImage
}

/** Where file systems are shown to the scanner, and where it puts what it finds. Source: moby/buildkit docs/attestations/sbom-protocol.md. */
const MAIN = '/run/src/core/sbom'
const EXTRAS = '/run/src/extras'
const FOUND = '/run/out/'

/** Attributes for the engine, not for the scanner; buildx sends `type` along. */
const ENGINE_ATTRIBUTES: ReadonlySet<string> = new Set(['type', 'generator', 'disabled'])

const DEFAULT_SCANNER = 'docker/buildkit-syft-scanner:stable-1'

/** `generator=image,KEY=value` of `--attest type=sbom`, which may be empty; undefined: nobody asked. Throws INVALID_ARGUMENT. */
export function parseScanner(text: string | undefined): ScannerOptions | undefined {
  if (text === undefined || text === 'false') return undefined
  const attributes = new Map([['generator', DEFAULT_SCANNER]])
  for (const field of text === '' || text === 'true' ? [] : splitCsvLine(text)) {
    const [name = ''] = field.split('=', 1)
    attributes.set(name, field.slice(name.length + 1))
  }
  if (isEnabled(attributes.get('disabled') ?? 'false', undefined)) return undefined
  const generator = attributes.get('generator') ?? ''
  if (generator === '') throw invalidArgument('sbom scanner cannot be empty')
  return {
    reference: referenceOf(generator),
    parameters: [...attributes].filter(([name]) => !ENGINE_ATTRIBUTES.has(name)),
  }
}

function referenceOf(generator: string): string {
  try {
    return fullString(withDefaultTag(parseReference(generator)))
  } catch (error) {
    throw invalidArgument(`failed to parse sbom scanner ${generator}: ${(error as Error).message}`, error)
  }
}

/** Looks up the scanner's image; undefined: none is wanted. Throws INVALID_ARGUMENT for an image that names no program. */
export async function findScanner(
  { scanner, resolveMode }: Pick<FrontendOptions, 'scanner' | 'resolveMode'>,
  host: FrontendHost,
): Promise<Scanner | undefined> {
  if (scanner === undefined) return undefined
  const { reference } = scanner
  const platform = host.hostPlatform
  const image = await host.resolveImage({ reference, platform, resolveMode, name: `[internal] load metadata for ${reference}` })
  if (programOf(image).length === 0) throw invalidArgument(`scanner ${reference} does not have cmd`)
  return { ...scanner, platform, image }
}

function programOf({ config: { config } }: ResolvedImage): string[] {
  return [...(config?.Entrypoint ?? []), ...(config?.Cmd ?? [])]
}

/**
 * A run of the scanner over what a Dockerfile gives, and over the stages and the context that it wants scanned as well. What it leaves are statements, one in each
 * file. Source: moby/buildkit frontend/attestations/sbom/sbom.go.
 */
export function scanTree({ image, platform, parameters, reference }: Scanner, converted: Converted): Tree {
  const { conversion, target } = converted
  const { config } = image.config
  const inputs = new Inputs()
  const source = imageSource(image, platform, conversion.options.resolveMode)
  const program = inputs.index(stepTree(source, [], { name: `FROM ${image.reference}` }))
  const extras = extraTrees(converted)
  const shown = (target: string, tree: Tree): ExecOp['mounts'][number] => ({
    type: 'bind',
    target,
    input: inputs.index(tree),
    selector: '',
    readonly: true,
    output: -1,
    contentKey: false,
  })
  const op: ExecOp = {
    ...PLAIN_EXEC,
    args: programOf(image),
    env: [
      ...(config?.Env ?? []),
      `BUILDKIT_SCAN_DESTINATION=${FOUND}`,
      `BUILDKIT_SCAN_SOURCE=${MAIN}`,
      ...(extras.size > 0 ? [`BUILDKIT_SCAN_SOURCE_EXTRAS=${EXTRAS}`] : []),
      ...parameters.map(([name, value]) => `BUILDKIT_SCAN_${name}=${value}`),
    ],
    cwd: config?.WorkingDir || '/',
    mounts: [
      { type: 'bind', target: '/', input: program, selector: '', readonly: false, output: -1, contentKey: false },
      { type: 'tmpfs', target: '/tmp', size: 0 },
      shown(MAIN, target.tree),
      ...[...extras].map(([name, tree]) => shown(`${EXTRAS}/sbom-${name}`, tree)),
      { type: 'bind', target: FOUND, input: -1, selector: '', readonly: false, output: 0, contentKey: false },
    ],
    platform,
  }
  const name = `[${formatPlatform(conversion.platforms.target)}] generating sbom using ${reference}`
  return stepTree(op, inputs.trees, { name, ...(target.ignoreCache && { ignoreCache: true }) })
}

/** By name. The arguments that ask for them may stand in front of the first FROM. */
function extraTrees({ conversion, target, needed }: Converted): Map<string, Tree> {
  const { globals } = conversion
  const wants = (stage: StageState, argument: string): boolean => {
    const value = stage.arguments.get(argument) ?? globals.variables.get(argument)
    return value !== undefined && isEnabled(value, stage.name)
  }
  const stages = [...needed].filter((stage) => stage !== target && stage.from !== undefined && wants(stage, 'BUILDKIT_SBOM_SCAN_STAGE'))
  const extras = new Map(stages.map((stage): [string, Tree] => [stage.name ?? `stage-${stage.index}`, stage.tree]))
  if (wants(target, 'BUILDKIT_SBOM_SCAN_CONTEXT')) extras.set('context', conversion.context)
  return extras
}

/** `value`: `true`, or names of stages with commas between them. */
function isEnabled(value: string, stage: string | undefined): boolean {
  try {
    return parseGoBoolean(value)
  } catch {
    return value.split(',').some((name) => name.trim().toLowerCase() === stage)
  }
}
