import { randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccessList, EVERYTHING_FOR_USERS } from '../auth/access-list.ts'
import { createBasicAccess } from '../auth/basic-access.ts'
import { openHtpasswdFile } from '../auth/htpasswd-file.ts'
import { createHtpasswdUsers } from '../auth/htpasswd.ts'
import { createTokenAccess } from '../auth/token-access.ts'
import { createTokenIssuer, generateTokenKey, readTokenKey } from '../auth/token-issuer.ts'
import { createTokenServer } from '../auth/token-server.ts'
import { createTokenVerifier } from '../auth/token-verifier.ts'
import { loadTrustedKeys } from '../auth/trusted-keys.ts'
import type { UserDirectory } from '../auth/types.ts'
import type { ForeignTokens, TokenServerConfig } from '../config/auth-section.ts'
import type { RegistryConfig } from '../config/registry-config.ts'
import type { AccessController, Page, RegistryLog } from '../types.ts'
import type { PublicUrl } from './public-url.ts'

export interface BuiltAccess {
  access?: AccessController
  pages: Record<string, Page>
}

/** Path of the token server. */
const TOKEN_PATH = '/auth/token'

/** Makes of the configuration who may do what. Throws Error for files that are missing or wrong. */
export async function buildAccess(config: RegistryConfig, url: PublicUrl, log: RegistryLog): Promise<BuiltAccess> {
  const { auth } = config
  const rights = config.access === undefined ? EVERYTHING_FOR_USERS : createAccessList(config.access.rules, config.access.groups)
  const usersOf = async (path: string): Promise<UserDirectory> => {
    const file = await openHtpasswdFile(path, (error) => log.error('the htpasswd file cannot be read; the users are the old ones', error))
    return createHtpasswdUsers({ file })
  }
  switch (auth.kind) {
    case 'none':
      return { pages: {} }
    case 'basic':
      return { access: createBasicAccess({ realm: auth.realm, users: await usersOf(auth.htpasswd), rights }), pages: {} }
    case 'token':
      return { access: await foreignTokens(auth.tokens, url), pages: {} }
    case 'tokenserver': {
      const users = await usersOf(auth.htpasswd)
      const { server } = auth
      const issuer = await createTokenIssuer({ ...server, key: readTokenKey(await ownKey(server, config)) })
      const tokens = createTokenVerifier({ ...server, keys: issuer.keys })
      const page = createTokenServer({ service: server.service, users, rights, issuer })
      return {
        access: createTokenAccess({
          realm: (request) => server.realm ?? url.ofRequest(request) + TOKEN_PATH,
          service: server.service,
          tokens,
        }),
        pages: { [TOKEN_PATH]: page },
      }
    }
  }
}

async function foreignTokens(tokens: ForeignTokens, url: PublicUrl): Promise<AccessController> {
  const { rootCertBundle, jwks, algorithms, redirectPath } = tokens
  const keys = await loadTrustedKeys({
    ...(rootCertBundle !== undefined && { certificates: await readFile(rootCertBundle, 'utf8') }),
    ...(jwks !== undefined && { jwks: await readFile(jwks, 'utf8') }),
  })
  return createTokenAccess({
    realm: (request) => (redirectPath === undefined ? tokens.realm : url.ofRequest(request) + redirectPath),
    service: tokens.service,
    tokens: createTokenVerifier({ issuer: tokens.issuer, service: tokens.service, keys, ...(algorithms && { algorithms }) }),
  })
}

/** The private key of the token server; made at the first start. It has to stay: identity tokens that Docker keeps are signed with it. */
async function ownKey({ key }: TokenServerConfig, { storage }: RegistryConfig): Promise<Buffer> {
  const path = key ?? (storage.backend.kind === 'filesystem' ? join(storage.backend.root, 'token-key.pem') : undefined)
  if (path === undefined) throw new Error('auth.tokenserver.key: is required with S3')
  // Two servers that start at the same time must end up with one key: the file appears whole, and only once.
  const draft = `${path}.${randomUUID()}`
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  try {
    await writeFile(draft, generateTokenKey(), { mode: 0o600, flag: 'wx' })
    await link(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, { force: true })
  }
  return readFile(path)
}
