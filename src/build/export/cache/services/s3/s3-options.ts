import { invalidArgument } from '#errors'
import { parseGoDuration } from '#lib'
import type { AttributeReader } from '../../../attributes.ts'

export interface S3Options {
  bucket: string
  region: string
  /** Put in front of the two others, as it is. */
  prefix: string
  blobsPrefix: string
  manifestsPrefix: string
  /** Under each of which a cache is written; it is read by the first. */
  names: readonly [string, ...string[]]
  /** Milliseconds after which an object that is still needed is written anew: buckets have rules that delete by age. */
  touchRefresh: number
  endpoint?: string
  pathStyle: boolean
  /** Absent: the SDK finds credentials of the host. */
  credentials?: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }
  parallelism: number
}

/** Attributes of `type=s3`. Throws INVALID_ARGUMENT. Source: moby/buildkit cache/remotecache/s3. */
export function readS3Options(reader: AttributeReader): S3Options {
  const [bucket, region] = [reader.take('bucket'), reader.take('region')]
  const endpoint = reader.take('endpoint_url')
  const pathStyle = reader.boolean('use_path_style') ?? false
  const [accessKeyId = '', secretAccessKey = ''] = [reader.take('access_key_id'), reader.take('secret_access_key')]
  const sessionToken = reader.take('session_token')
  const [first = 'buildkit', ...others] = (reader.take('name') ?? 'buildkit').split(';')
  if (!bucket) throw invalidArgument('bucket not set for s3 cache')
  if (!region) throw invalidArgument('region not set for s3 cache')
  return {
    bucket,
    region,
    prefix: reader.take('prefix') ?? '',
    blobsPrefix: reader.take('blobs_prefix') ?? 'blobs/',
    manifestsPrefix: reader.take('manifests_prefix') ?? 'manifests/',
    names: [first, ...others],
    touchRefresh: milliseconds(reader.take('touch_refresh') ?? '24h'),
    // As BuildKit does it, paths are for other endpoints than Amazon's only.
    ...(endpoint ? { endpoint, pathStyle } : { pathStyle: false }),
    ...(accessKeyId && secretAccessKey && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
    parallelism: positive(reader.take('upload_parallelism') ?? '4'),
  }
}

function milliseconds(text: string): number {
  try {
    return parseGoDuration(text) / 1e6
  } catch (error) {
    throw invalidArgument(`invalid touch_refresh: ${(error as Error).message}`, error)
  }
}

function positive(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw invalidArgument('upload_parallelism must be a positive integer')
  return Number(text)
}
