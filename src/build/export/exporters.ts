import { invalidArgument } from '#errors'
import { AttributeReader } from './attributes.ts'
import { prepareArchiveExport } from './archive-exporter.ts'
import { prepareImageExport } from './image-exporter.ts'
import { parseProvenance, type ProvenanceOptions } from './provenance/provenance-options.ts'
import { provenanceOf } from './provenance/provenance.ts'
import { prepareTreeExport } from './tree-exporter.ts'
import type { ExporterDeps, Exporters } from './types.ts'

/** Of a build that asked for none. */
const DEFAULT_PROVENANCE: ProvenanceOptions = { mode: 'max', version: 'v0.2', inlineOnly: false, reproducible: false, builderId: undefined }

/** All exporters. They have no state: what is stored while one works is held by the build's lease. */
export function createExporters(deps: ExporterDeps): Exporters {
  return {
    prepare({ type, attributes, id }, options) {
      const reader = new AttributeReader(type, attributes)
      switch (type) {
        case 'moby':
        case 'image':
          return prepareImageExport(deps, reader, options)
        case 'docker':
        case 'oci':
          return prepareArchiveExport(deps, reader, options, { id, type })
        case 'local':
        case 'tar':
          return prepareTreeExport(deps, reader, options, { id, isTar: type === 'tar' })
        case 'none':
          reader.end()
          return { name: 'exporting nothing', export: async () => ({}) }
        default:
          throw invalidArgument(`exporter ${JSON.stringify(type)} could not be found`)
      }
    },
    describe(facts, platform) {
      const asked = parseProvenance(facts.options) ?? DEFAULT_PROVENANCE
      return provenanceOf(facts, platform, { ...asked, mode: 'max' }, { builderId: deps.builderId, finishedAt: Date.now() })
    },
  }
}
