import { parseRamBytes } from '#lib'
import { absent, count, duration, flag, needless, oneOf, refine, required, section, text, type Shape } from './shape.ts'

/** A bucket of S3 or of a service that speaks its protocol. */
export interface S3Config {
  bucket: string
  region: string
  /** URL of a service that is not Amazon's. */
  endpoint: string | undefined
  /** The bucket stands in the path instead of the host name. */
  pathStyle: boolean
  /** Left out: the usual places of the AWS SDK (environment, profile, instance). */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined } | undefined
  /** Put before every key; no slash at either end. */
  prefix: string
  /** Server-side encryption: with the given key of KMS, or with S3's own (undefined). */
  encryption: { keyId: string | undefined } | undefined
  storageClass: string | undefined
  /** Certificates of the endpoint are not checked. */
  skipVerify: boolean
  /** Bytes per stored piece of an upload, 5 MiB at least. */
  chunkSize: number
  /** Server-side copies: bytes per part, parts at a time, and the size from which a copy is made in parts. */
  copy: { partSize: number; concurrency: number; threshold: number }
}

export interface GarbageCollectionConfig {
  /** Milliseconds between collections; undefined: only by command. */
  interval: number | undefined
  deleteUntagged: boolean
  /** Milliseconds for which new or touched content is left alone. */
  grace: number
}

export interface UploadPurgingConfig {
  /** Milliseconds: an upload that began so long ago is given up. */
  age: number
  interval: number
  dryRun: boolean
}

export interface StorageConfig {
  backend: { kind: 'filesystem'; root: string } | { kind: 's3'; s3: S3Config }
  deleteEnabled: boolean
  /** Blobs may be fetched from the storage itself, where it can make such URLs. */
  redirect: boolean
  readOnly: boolean
  /** Undefined: uploads that nobody finished are kept. */
  uploadPurging: UploadPurgingConfig | undefined
  garbageCollection: GarbageCollectionConfig
}

const HOUR = 3600e3
const MIB = 1 << 20
/** Source: Amazon S3 User Guide, "Multipart upload limits": parts of 5 MiB to 5 GiB. */
const MIN_PART = 5 * MIB
const MAX_PART = 5 * 1024 * MIB

/** docker-registry reads sizes as numbers or as text. */
const size: Shape<number> = {
  decode(value, path, notes) {
    if (typeof value !== 'string') return count.decode(value, path, notes)
    try {
      return parseRamBytes(value)
    } catch {
      throw new Error(`${path}: cannot use ${JSON.stringify(value)}: wanted is a size`)
    }
  },
}

function partSize(value: number, path: string): number {
  if (value < MIN_PART || value > MAX_PART) throw new Error(`${path}: must be between 5 MiB and 5 GiB`)
  return value
}

const s3 = refine(
  section(
    {
      accesskey: text,
      secretkey: text,
      sessiontoken: text,
      region: text,
      regionendpoint: text,
      forcepathstyle: flag,
      bucket: text,
      rootdirectory: text,
      encrypt: flag,
      keyid: text,
      secure: flag,
      skipverify: flag,
      storageclass: text,
      chunksize: size,
      multipartcopychunksize: size,
      multipartcopymaxconcurrency: count,
      multipartcopythresholdsize: size,
      v4auth: needless(flag, 'requests are always signed with version 4'),
    },
    {
      objectacl: 'objects belong to the owner of the bucket',
      accelerate: 'S3 Transfer Acceleration',
      usedualstack: 'name a dual-stack address as regionendpoint',
      useragent: 'the user agent cannot be changed',
      loglevel: 'the S3 client does not log',
    },
  ),
  (given, path): S3Config => {
    const { accesskey, secretkey } = given
    if ((accesskey === undefined) !== (secretkey === undefined)) throw new Error(`${path}: accesskey and secretkey belong together`)
    const endpoint = given.regionendpoint
    const scheme = given.secure === false ? 'http' : 'https'
    return {
      bucket: required(given.bucket, path, 'bucket'),
      // Services of others want some region in the signature and mostly do not care which.
      region: required(given.region ?? (endpoint === undefined ? undefined : 'us-east-1'), path, 'region'),
      endpoint: endpoint === undefined || endpoint.includes('://') ? endpoint : `${scheme}://${endpoint}`,
      // Services of others seldom have a host name per bucket; docker-registry makes the same choice.
      pathStyle: given.forcepathstyle ?? endpoint !== undefined,
      credentials:
        accesskey === undefined || secretkey === undefined
          ? undefined
          : { accessKeyId: accesskey, secretAccessKey: secretkey, sessionToken: given.sessiontoken },
      prefix: (given.rootdirectory ?? '').replace(/^\/+|\/+$/g, ''),
      encryption: given.encrypt === true ? { keyId: given.keyid } : undefined,
      storageClass: given.storageclass === 'NONE' ? undefined : given.storageclass,
      skipVerify: given.skipverify ?? false,
      chunkSize: partSize(given.chunksize ?? 10 * MIB, `${path}.chunksize`),
      copy: {
        partSize: partSize(given.multipartcopychunksize ?? 32 * MIB, `${path}.multipartcopychunksize`),
        concurrency: Math.max(1, given.multipartcopymaxconcurrency ?? 16),
        threshold: Math.min(given.multipartcopythresholdsize ?? 32 * MIB, MAX_PART),
      },
    }
  },
)

const filesystem = section({
  rootdirectory: text,
  maxthreads: needless(count, 'the runtime decides about threads'),
})

const cacheKind = needless(oneOf('inmemory'), 'blobs are found without a cache')

const uploadPurging = refine(
  section({ enabled: flag, age: duration, interval: duration, dryrun: flag }),
  ({ enabled = true, age = 168 * HOUR, interval = 24 * HOUR, dryrun = false }): UploadPurgingConfig | undefined =>
    enabled ? { age, interval, dryRun: dryrun } : undefined,
)

const garbageCollection = refine(
  section({ enabled: flag, interval: duration, deleteuntagged: flag, grace: duration }),
  ({ enabled = false, interval = 24 * HOUR, deleteuntagged = false, grace = HOUR }): GarbageCollectionConfig => ({
    interval: enabled ? interval : undefined,
    deleteUntagged: deleteuntagged,
    grace,
  }),
)

const maintenance = refine(
  section({ readonly: section({ enabled: flag }), uploadpurging: uploadPurging, garbagecollection: garbageCollection }),
  (given, path) => ({
    readOnly: given.readonly?.enabled ?? false,
    uploadPurging: 'uploadpurging' in given ? given.uploadpurging : absent(uploadPurging, path),
    garbageCollection: given.garbagecollection ?? absent(garbageCollection, path),
  }),
)

/** `storage`. */
export const storageSection: Shape<StorageConfig> = refine(
  section(
    {
      filesystem,
      s3,
      delete: section({ enabled: flag }),
      redirect: section({ disable: flag }),
      cache: section({ blobdescriptor: cacheKind, layerinfo: cacheKind }, { blobdescriptorsize: 'there is no cache of blob descriptors' }),
      maintenance,
      tag: section({ concurrencylimit: needless(count, 'tags are read one after the other') }),
    },
    {
      inmemory: 'use filesystem on a tmpfs',
      azure: 'storage is filesystem or s3',
      gcs: 'use s3 with the endpoint https://storage.googleapis.com',
      swift: 'storage is filesystem or s3',
      oss: 'use s3 with the endpoint of the service',
    },
  ),
  (given, path): StorageConfig => {
    if (given.filesystem !== undefined && given.s3 !== undefined) throw new Error(`${path}: filesystem and s3 exclude each other`)
    const { readOnly, uploadPurging: purging, garbageCollection: collection } = given.maintenance ?? absent(maintenance, path)
    return {
      backend:
        given.s3 !== undefined
          ? { kind: 's3', s3: given.s3 }
          : { kind: 'filesystem', root: required(given.filesystem?.rootdirectory, `${path}.filesystem`, 'rootdirectory') },
      deleteEnabled: given.delete?.enabled ?? false,
      redirect: !(given.redirect?.disable ?? false),
      readOnly,
      uploadPurging: purging,
      garbageCollection: collection,
    }
  },
)
