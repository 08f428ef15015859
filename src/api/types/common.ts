/** Shapes shared by several resources. Field names, here and in all files beside this one, are the wire's. */

/** Body of every error response. */
export interface ErrorResponse {
  message: string
}

export interface IdResponse {
  Id: string
}

/** Go marshals a nil slice or map as null: clients have to expect it wherever this type stands. */
export type Nullable<T> = T | null

/** Of a manifest, index or layer. Source: image-spec descriptor.md. */
export interface WireDescriptor {
  mediaType: string
  digest: string
  size: number
  urls?: string[]
  annotations?: Record<string, string>
  platform?: WirePlatform
}

/** OCI platform; the JSON form of the `platform` parameter. */
export interface WirePlatform {
  architecture: string
  os: string
  'os.version'?: string
  'os.features'?: string[]
  variant?: string
}

/** One line of a progress stream (pull, push, load, import, build). */
export interface JsonMessage {
  id?: string
  status?: string
  stream?: string
  progressDetail?: { current?: number; total?: number; start?: number; hidecounts?: boolean; units?: string }
  aux?: unknown
  errorDetail?: { code?: number; message: string }
  /** The same text again: what clients older than 1.4 read. */
  error?: string
}
