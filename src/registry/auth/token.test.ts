import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { exportJWK, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from 'jose'
import type { Access } from '../types.ts'
import { createTokenAccess } from './token-access.ts'
import { createTokenVerifier, type TokenVerifier } from './token-verifier.ts'
import { dockerFingerprint, loadTrustedKeys } from './trusted-keys.ts'

/** Certificates of a test, made with openssl: an authority, a leaf of it, and one that the leaf signed without being an authority. */
const ROOT_PEM = `-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUGNHoayRhaqq3sNrtMqexPETWyJUwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJdGVzdC1yb290MCAXDTI2MTEyMjA4MDc1N1oYDzIxMjYxMDI5
MDgwNzU3WjAUMRIwEAYDVQQDDAl0ZXN0LXJvb3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATYChVNknXpPT1cIbtTtfhG3cHmfZ6LzLmT8PiC0qa+nI4uyOsz909R
/11vmnvKWO/HB+OyCPMDcoMwoNc4WkZ8o1MwUTAdBgNVHQ4EFgQUEXjpDbogAYcW
Nqy8o573ZTvImbowHwYDVR0jBBgwFoAUEXjpDbogAYcWNqy8o573ZTvImbowDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiAaMiCkU1UvcCqhd32H1YXI
LMyJ96bmvgXFml90ljlTDgIgMM9wZ+Bj+lvWDANVxPCPyLhJbRurO01omoNpbj9i
Tmo=
-----END CERTIFICATE-----`
const LEAF_PEM = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIUO1CItkh70uCtnvzzrBIbyfdP5HMwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJdGVzdC1yb290MCAXDTI2MTEyMjA4MDc1N1oYDzIxMjYxMDI5
MDgwNzU3WjAUMRIwEAYDVQQDDAl0ZXN0LWxlYWYwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQUJiQfiXF4IWc0ThsJuphJbczQb+5X+Ykz05iGs1EsW2R95hVtlPcv
uN7v8but9IxAz1bAReBF8WS1AZ0eMUq+o00wSzAJBgNVHRMEAjAAMB0GA1UdDgQW
BBTXgeGUPQa6XaEdePE0HJiH87znPjAfBgNVHSMEGDAWgBQReOkNuiABhxY2rLyj
nvdlO8iZujAKBggqhkjOPQQDAgNIADBFAiEA9+ZpE1tMuMMLAqAhXpxRUoRPV3PO
ZMrWpw9PguDq7TQCIFxy6GsIgMnqEemFyDgQ0Ye5QdevGF1rG5H4OzfjONBV
-----END CERTIFICATE-----`
const LEAF_KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgfu1l/2qklnyqySkB
dRPPLTeQpq83TF9Fo3gdgpC/5VShRANCAAQUJiQfiXF4IWc0ThsJuphJbczQb+5X
+Ykz05iGs1EsW2R95hVtlPcvuN7v8but9IxAz1bAReBF8WS1AZ0eMUq+
-----END PRIVATE KEY-----`
const ROGUE_PEM = `-----BEGIN CERTIFICATE-----
MIIBIDCBxwIUJoTli8XIjCAUP4lCiSOKQoKOkgowCgYIKoZIzj0EAwIwFDESMBAG
A1UEAwwJdGVzdC1sZWFmMCAXDTI2MTEyMjA4MDc1N1oYDzIxMjYxMDI5MDgwNzU3
WjAQMQ4wDAYDVQQDDAVyb2d1ZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABFUq
zB60uoVT7B2xMbS8phkWxR36GEjxCLgKIGW5Pa4Az7RtkgJhgROsddZBeF+mhc6o
MuoiHMM1sb8pzm6PCSYwCgYIKoZIzj0EAwIDSAAwRQIgaLc8/y460CGFp9hdGF/k
PM9Szw3YaM3eJ8IGXJ+HgB4CIQCE/lwNcZwyeR7JZ9z4BiWG/73+Hd+w98TjEep3
ydFgVQ==
-----END CERTIFICATE-----`

const NOW = new Date('2030-01-01T00:00:00Z')
const seconds = (offset: number): number => NOW.getTime() / 1000 + offset

const CLAIMS = {
  iss: 'issuer',
  aud: 'service',
  sub: 'alice',
  exp: seconds(300),
  nbf: seconds(-10),
  access: [{ type: 'repository', name: 'a/b', actions: ['pull'] }],
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })

function sign(claims: object, header: Partial<JWTHeaderParameters> = {}, key: KeyObject | Uint8Array = privateKey): Promise<string> {
  return new SignJWT({ ...claims }).setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header }).sign(key)
}

async function verifier(algorithms?: string[]): Promise<TokenVerifier> {
  const jwks = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1' }] })
  return createTokenVerifier({
    issuer: 'issuer',
    service: 'service',
    keys: await loadTrustedKeys({ jwks }),
    now: () => NOW,
    ...(algorithms && { algorithms }),
  })
}

describe('TokenVerifier.verify', () => {
  it('takes a signed token and says what it gives', async () => {
    assert.deepEqual(await (await verifier()).verify(await sign(CLAIMS)), { subject: 'alice', access: CLAIMS.access })
  })

  it('allows a minute for clocks that differ', async () => {
    const tokens = await verifier()
    assert.ok(await tokens.verify(await sign({ ...CLAIMS, exp: seconds(-55) })))
    assert.ok(await tokens.verify(await sign({ ...CLAIMS, nbf: seconds(55) })))
  })

  const REFUSED: [string, object, Partial<JWTHeaderParameters>?][] = [
    ['of another issuer', { ...CLAIMS, iss: 'other' }],
    ['for another service', { ...CLAIMS, aud: 'other' }],
    ['that is over', { ...CLAIMS, exp: seconds(-61) }],
    ['that is not yet good', { ...CLAIMS, nbf: seconds(61) }],
    ['without an end', { ...CLAIMS, exp: undefined }],
    ['of an unknown key', CLAIMS, { kid: 'k2' }],
    ['with a chain that leads nowhere', CLAIMS, { x5c: ['AAAA'] }],
    ['with a critical extension we do not know', CLAIMS, { crit: ['x'], x: 1 }],
  ]
  for (const [what, claims, header] of REFUSED) {
    it(`refuses a token ${what}`, async () => {
      const token = await sign(claims, header).catch(() => 'a.b.c')
      assert.equal(await (await verifier()).verify(token), undefined)
    })
  }

  it('refuses tokens that are not signed, signed by another key, changed, or no tokens', async () => {
    const tokens = await verifier()
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const good = await sign(CLAIMS)
    const [head = '', , signature = ''] = good.split('.')
    const claims = Buffer.from(JSON.stringify({ ...CLAIMS, sub: 'root' })).toString('base64url')
    const bad = [
      new UnsecuredJWT(CLAIMS).encode(),
      await sign(CLAIMS, {}, other),
      `${head}.${claims}.${signature}`,
      '',
      'a',
      'a.b.c',
      'x'.repeat(100_000),
    ]
    for (const token of bad) assert.equal(await tokens.verify(token), undefined, token.slice(0, 40))
  })

  it('refuses a public key that is passed off as the secret of a symmetric signature', async () => {
    const pem = Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'k1' }).sign(pem)
    assert.equal(await (await verifier()).verify(token), undefined)
  })

  it('takes only the algorithms it was told', async () => {
    assert.equal(await (await verifier(['RS256'])).verify(await sign(CLAIMS)), undefined)
  })

  it('passes over access claims that are malformed', async () => {
    const access = [null, 'x', { type: 'repository' }, { type: 'repository', name: 'a', actions: [1] }, ...CLAIMS.access]
    assert.deepEqual((await (await verifier()).verify(await sign({ ...CLAIMS, access })))?.access, CLAIMS.access)
  })
})

describe('loadTrustedKeys', () => {
  it('refuses a symmetric key', async () => {
    await assert.rejects(loadTrustedKeys({ jwks: JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'x' }] }) }), /symmetric/)
  })

  it('knows keys of certificates by the fingerprint that Docker uses', async () => {
    const certificate = new X509Certificate(ROOT_PEM)
    const keys = await loadTrustedKeys({ certificates: ROOT_PEM })
    const id = dockerFingerprint(certificate.publicKey)
    assert.match(id, /^(?:[A-Z2-7]{4}:){11}[A-Z2-7]{4}$/)
    assert.ok(keys.byId(id))
    assert.equal(keys.byId('k1'), undefined)
  })

  it('byChain follows the chain to a root, and takes no certificate as issuer that may not issue', async () => {
    const der = (pem: string): string => new X509Certificate(pem).raw.toString('base64')
    const keys = await loadTrustedKeys({ certificates: ROOT_PEM })
    const within = new X509Certificate(LEAF_PEM).validFromDate
    const leafKey = new X509Certificate(LEAF_PEM).publicKey
    assert.ok(keys.byChain([der(LEAF_PEM)], within)?.equals(leafKey))
    assert.ok(keys.byChain([der(ROOT_PEM)], within))
    // Signed by the leaf, which is trusted but no authority.
    assert.equal(keys.byChain([der(ROGUE_PEM), der(LEAF_PEM)], within), undefined)
    assert.equal(keys.byChain([der(LEAF_PEM)], new Date('2199-01-01')), undefined)
    assert.equal(keys.byChain([], within), undefined)
    const token = await new SignJWT(CLAIMS).setProtectedHeader({ alg: 'ES256', x5c: [der(LEAF_PEM)] }).sign(createPrivateKey(LEAF_KEY))
    const tokens = createTokenVerifier({ issuer: 'issuer', service: 'service', keys, now: () => NOW })
    assert.equal((await tokens.verify(token))?.subject, 'alice')
  })
})

describe('TokenAccess.authorise', () => {
  const request = (token?: string): IncomingMessage =>
    ({ headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) } }) as unknown as IncomingMessage
  const right = (action: 'pull' | 'push'): Access => ({ type: 'repository', name: 'a/b', action })
  const access = async (): Promise<ReturnType<typeof createTokenAccess>> =>
    createTokenAccess({ realm: () => 'https://r/auth', service: 'service', tokens: await verifier() })
  const challenge = (more: string): unknown => ({
    kind: 'challenge',
    headers: { 'WWW-Authenticate': `Bearer realm="https://r/auth",service="service"${more}` },
  })

  it('challenges a client without a token, with the scope it needs', async () => {
    const controller = await access()
    assert.deepEqual(await controller.authorise(request(), []), challenge(''))
    assert.deepEqual(await controller.authorise(request(), [right('pull'), right('push')]), challenge(',scope="repository:a/b:pull,push"'))
  })

  it('lets through what the token gives, and asks for a wider one for what it does not', async () => {
    const controller = await access()
    const token = await sign(CLAIMS)
    assert.deepEqual(await controller.authorise(request(token), [right('pull')]), { kind: 'allowed', actor: 'alice' })
    assert.deepEqual(await controller.authorise(request(token), []), { kind: 'allowed', actor: 'alice' })
    assert.deepEqual(
      await controller.authorise(request(token), [right('pull'), right('push')]),
      challenge(',scope="repository:a/b:pull,push",error="insufficient_scope"'),
    )
    assert.deepEqual(await controller.authorise(request('bad'), []), challenge(',error="invalid_token"'))
  })
})
