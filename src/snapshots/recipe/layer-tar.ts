import { batched, decompress } from '#archive'
import type { ContentStore } from '#content'
import { EngineError } from '#errors'
import type { Files } from '#kernel'
import { createDigester } from '#oci'
import type { Layer } from '../types.ts'
import { readRecipe } from './read-recipe.ts'

/** Where the parts of one layer are; absolute paths. */
export interface LayerPlace {
  directory: string
  recipe: string
}

/**
 * The tar of a layer: from its blob where that is kept, else put together from its files. Throws DATA_LOSS for one that cannot be had, or turns out to be
 * another one: whoever reads it has to read to the end before believing it.
 */
export async function* readLayerTar(
  deps: { content: ContentStore; files: Files },
  layer: Layer,
  place: LayerPlace,
): AsyncGenerator<Buffer, void, void> {
  if (deps.content.has(layer.blob)) {
    const { chunks } = await decompress(deps.content.read(layer.blob) as AsyncIterable<Buffer>)
    yield* chunks
  } else if (layer.recipe === true) yield* fromRecipe(deps.files, layer, place)
  else throw new EngineError('DATA_LOSS', `layer ${layer.diffId}: its archive is gone; pull or load the image again`)
}

async function* fromRecipe(files: Files, { diffId }: Layer, { directory, recipe }: LayerPlace): AsyncGenerator<Buffer, void, void> {
  const digester = createDigester()
  const refuse = (file: string): never => {
    throw new EngineError('DATA_LOSS', `layer ${diffId}: ${JSON.stringify(file)} was changed; pull or load the image again`)
  }
  for await (const chunk of batched(readRecipe(files, recipe, directory, refuse))) {
    digester.update(chunk)
    yield chunk
  }
  if (digester.digest() !== diffId) throw new EngineError('DATA_LOSS', `layer ${diffId}: its recipe gives another archive`)
}
