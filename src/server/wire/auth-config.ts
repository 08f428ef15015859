/** Credentials as clients send them: the body of `POST /auth`, and what `X-Registry-Auth` holds. */

import type { AuthConfig } from '#api'
import { field, struct, text, type StructCodec } from './codec.ts'

export const authConfig: StructCodec<AuthConfig> = struct<AuthConfig>('registry.AuthConfig', {
  username: field('username', text),
  password: field('password', text),
  auth: field('auth', text),
  serveraddress: field('serveraddress', text),
  identitytoken: field('identitytoken', text),
  registrytoken: field('registrytoken', text),
})
