import { invalidArgument } from '#errors'
import { AttributeReader } from './attributes.ts'
import { prepareImageExport } from './image-exporter.ts'
import type { ExporterDeps, Exporters } from './types.ts'

/** All exporters. They have no state: what is stored while one works is held by the build's lease. */
export function createExporters(deps: ExporterDeps): Exporters {
  return {
    prepare({ type, attributes }, options) {
      const reader = new AttributeReader(type, attributes)
      switch (type) {
        case 'moby':
        case 'image':
          return prepareImageExport(deps, reader, options)
        default:
          throw invalidArgument(`exporter ${JSON.stringify(type)} could not be found`)
      }
    },
  }
}
