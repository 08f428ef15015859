/** Pure data of the OCI specifications: runtime config, image manifests and configs. Codecs live beside the types. */
export type * from './runtime-spec.ts'
export * from './image-spec.ts'
