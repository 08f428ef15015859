import { ContextCopy, run, type Example, type Outcome } from './example.ts'
import { readImage, treeChanges, type LayerCache, type Tree } from './image-facts.ts'

/** How a program builds. */
export interface Builder {
  /** The command line that builds `tag` of the context in the last argument, and its environment. */
  command(tag: string): { program: string; args: readonly string[]; env?: Readonly<Record<string, string>> }
  /** All bytes of `docker save`. */
  save(tag: string): Promise<Buffer>
}

/** The whole output of a build that failed. */
export interface Failure {
  readonly error: string
}

/** An image, as it is kept in `result.json`. */
export interface Image {
  /** What is different from the base image `busybox`; of images without base: everything. */
  readonly files: Readonly<Record<string, string>>
  readonly config: Readonly<Record<string, unknown>>
  readonly history: readonly string[]
}

/** Files of the base image, and layers that have been read. */
export interface Base {
  readonly tree: Tree
  readonly cache: LayerCache
}

export async function readBase(builder: Builder): Promise<Base> {
  const cache: LayerCache = new Map()
  return { tree: readImage(await builder.save('busybox'), cache).tree, cache }
}

/** Builds one, and reads what has become of it. */
export async function build(example: Example, builder: Builder, base: Base): Promise<Failure | Image> {
  await using context = await ContextCopy.of(example)
  const tag = `example:${example.name}`
  const { status, output } = await runBuild(example, builder, tag, context.path)
  if (status !== 0) return { error: output }
  const image = readImage(await builder.save(tag), base.cache)
  const isOnBase = image.tree.has('/bin/busybox')
  return { files: treeChanges(isOnBase ? base.tree : new Map(), image.tree), config: image.config, history: image.history }
}

function runBuild(example: Example, builder: Builder, tag: string, context: string): Promise<Outcome> {
  const { program, args, env = {} } = builder.command(tag)
  return run(program, [...args, ...example.args, context], { env })
}
