/**
 * What becomes of a build's result: images here or in a registry, archives, files of the client; and caches for other builds.
 *
 * Lifecycle of an export: its attributes are *prepared* before anything is built, so that a misspelt one costs nothing. When the result is solved, its file
 * systems are *sealed* (drafts become layers with diff ids), the configs *completed* with layers and times, and where somebody wants a manifest, layers are
 * compressed into blobs, attestations made, everything listed. All of it lies in the content store under the build's lease; what no image names afterwards is
 * collected with it.
 *
 * ```
 * SolvedResult ─ seal-result ─ complete-config ─┬─ image-exporter ─ images.enter, push-result      moby, image
 *                              make-manifests ──┼─ archive-exporter ─ sendFile, client's store       oci, docker
 *                              provenance/ ─────┘
 *              └ tree/ ─────────────────────────── tree-exporter ─ sendDirectory, sendFile           local, tar
 * steps ─ cache/ ─ cache config, layers ─ registry, client's store, image config                     registry, local, inline
 * ```
 *
 * The same build gives the same image: times are those of the layers, lists are sorted, nothing holds a host's name or the time of the export. With an *epoch* and
 * `rewrite-timestamp` that is true of two engines as well.
 *
 * Glossary: *epoch*, the time that nothing in an image may be younger than; *target*, manifest or index of an image; *attestation*, a manifest in the index that
 * speaks of another one; *provenance*, the attestation of what an image was made of; *inline cache*, keys of steps in an image's config; *portable cache*, keys of
 * steps and the layers they left.
 *
 * ```ts
 * const exporters = createExporters(deps)
 * const image = exporters.prepare({ type: 'moby', attributes: { name: 'app:1' }, id: '' }, options)
 * await image.export(solved, context) // → { 'containerimage.digest': 'sha256:…', 'image.name': 'docker.io/library/app:1', … }
 * const caches = createCachePlaces(deps)
 * const cache = await caches.open({ type: 'registry', attributes: { ref: 'registry:5000/app:cache' } }, context)
 * cache.find(key) // → { layers, … }: fetched when they are wanted
 * ```
 */
export { createCachePlaces } from './cache/cache-places.ts'
export type { CacheDeps } from './cache/store-cache.ts'
export { createExporters } from './exporters.ts'
export type { ExporterDeps, Exporters, PreparedExport } from './types.ts'
