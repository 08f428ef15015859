import { imagePath, inspectRaw, isNotFound, networkPath, volumePath, type EngineClient } from '#client'
import type { Cli } from '../cli.ts'
import { errorText } from '../errors.ts'
import { printInspected, type Inspected } from '../format/inspect.ts'

export type ObjectType = 'container' | 'image' | 'network' | 'volume'

export interface InspectOptions {
  /** Undefined: try all, in this order. */
  type?: ObjectType
  format: string
  /** Sizes of containers. */
  size?: boolean
  /** JSON of an OCI platform, for images. */
  platform?: string
  /** Diagnostics of networks. */
  verbose?: boolean
}

const ORDER: readonly ObjectType[] = ['container', 'image', 'network', 'volume']

/** Inspects each name and prints what was found; the errors come after it. Resolves with the status. */
export async function inspectAll(cli: Cli, names: readonly string[], options: InspectOptions): Promise<number> {
  const engine = cli.engine()
  const results: Inspected[] = []
  for (const name of names) results.push(await inspectOne(engine, name, options))
  return printInspected(cli, options.format, results)
}

async function inspectOne(engine: EngineClient, name: string, options: InspectOptions): Promise<Inspected> {
  if (options.type !== undefined) {
    try {
      return { text: await fetchObject(engine, options.type, name, options) }
    } catch (error) {
      return { error: errorText(error) }
    }
  }
  for (const type of ORDER) {
    try {
      return { text: await fetchObject(engine, type, name, options) }
    } catch (error) {
      if (!isNotFound(error)) return { error: errorText(error) }
    }
  }
  return { error: `Error: No such object: ${name}` }
}

function fetchObject(engine: EngineClient, type: ObjectType, name: string, options: InspectOptions): Promise<string> {
  const requests = {
    container: () => inspectRaw(engine, `/containers/${encodeURIComponent(name)}/json`, { size: options.size }),
    image: () => inspectRaw(engine, imagePath(name, '/json'), { platform: options.platform }),
    network: () => inspectRaw(engine, networkPath(name), { verbose: options.verbose }),
    volume: () => inspectRaw(engine, volumePath(name)),
  }
  return requests[type]()
}
