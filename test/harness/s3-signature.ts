import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Checks signatures of version 4, in the header or in the query, against what the request is. Written from Amazon's description, apart from `src/`, so that both would have
 * to make the same mistake. Source: Amazon S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
 */
export interface S3Account {
  accessKeyId: string
  secretAccessKey: string
  region: string
}

/** Why a request is refused, by S3's error code; undefined when it is properly signed. `body`: all of it. */
export function signatureProblem(request: IncomingMessage, body: Buffer, account: S3Account, now: Date = new Date()): string | undefined {
  const url = new URL(request.url ?? '', 'http://server')
  const given = fromHeader(request) ?? fromQuery(url)
  if (given === undefined) return 'AccessDenied'
  const { credential, signedHeaders, signature, time, payload, expires } = given
  const [accessKeyId, day, region, service, end] = credential.split('/')
  if (accessKeyId !== account.accessKeyId) return 'InvalidAccessKeyId'
  if (region !== account.region || service !== 's3' || end !== 'aws4_request' || day !== time.slice(0, 8))
    return 'AuthorizationHeaderMalformed'
  if (!signedHeaders.includes('host')) return 'AuthorizationHeaderMalformed'
  const age = (now.getTime() - parseTime(time)) / 1000
  if (age > expires || age < -900) return expires === 900 ? 'RequestTimeTooSkewed' : 'AccessDenied'
  if (payload !== 'UNSIGNED-PAYLOAD' && payload !== createHash('sha256').update(body).digest('hex')) return 'XAmzContentSHA256Mismatch'

  const query = [...url.searchParams]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const headers = signedHeaders.map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`).join('')
  const canonical = [request.method, url.pathname, query, headers, signedHeaders.join(';'), payload].join('\n')
  const scope = `${day}/${region}/s3/aws4_request`
  const toSign = ['AWS4-HMAC-SHA256', time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n')
  let key: Buffer | string = `AWS4${account.secretAccessKey}`
  for (const part of [day, region, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest()
  const expected = createHmac('sha256', key).update(toSign).digest()
  const actual = Buffer.from(signature, 'hex')
  return actual.length === expected.length && timingSafeEqual(actual, expected) ? undefined : 'SignatureDoesNotMatch'
}

interface Given {
  credential: string
  signedHeaders: string[]
  signature: string
  /** `20261122T080000Z`. */
  time: string
  /** Hash of the body, in hex, or UNSIGNED-PAYLOAD. */
  payload: string
  /** Seconds. */
  expires: number
}

function fromHeader({ headers }: IncomingMessage): Given | undefined {
  const { authorization } = headers
  if (authorization?.startsWith('AWS4-HMAC-SHA256 ') !== true) return undefined
  const part = (name: string): string => new RegExp(`${name}=([^, ]+)`).exec(authorization)?.[1] ?? ''
  return {
    credential: part('Credential'),
    signedHeaders: part('SignedHeaders').split(';'),
    signature: part('Signature'),
    time: String(headers['x-amz-date']),
    payload: String(headers['x-amz-content-sha256']),
    expires: 900,
  }
}

function fromQuery({ searchParams }: URL): Given | undefined {
  if (searchParams.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') return undefined
  const part = (name: string): string => searchParams.get(`X-Amz-${name}`) ?? ''
  return {
    credential: part('Credential'),
    signedHeaders: part('SignedHeaders').split(';'),
    signature: part('Signature'),
    time: part('Date'),
    payload: 'UNSIGNED-PAYLOAD',
    expires: Number(part('Expires')),
  }
}

function parseTime(time: string): number {
  return Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}
