import { accessSection, authSection, type AccessConfig, type AuthConfig } from './auth-section.ts'
import { httpSection, type HttpConfig } from './http-section.ts'
import {
  healthSection,
  logSection,
  notificationsSection,
  proxySection,
  type LogConfig,
  type NotificationsConfig,
  type ProxyConfig,
} from './services-section.ts'
import type { HealthCheckOptions } from '../health/types.ts'
import { storageSection, type StorageConfig } from './storage-section.ts'
import { absent, oneOf, refine, section, type Shape } from './shape.ts'

/** Everything that the operator decides. Times are in milliseconds. */
export interface RegistryConfig {
  log: LogConfig
  storage: StorageConfig
  http: HttpConfig
  auth: AuthConfig
  /** Undefined: whoever has logged in may do everything. */
  access: AccessConfig | undefined
  notifications: NotificationsConfig
  health: readonly HealthCheckOptions[]
  proxy: ProxyConfig | undefined
}

/**
 * The whole file. Names, nesting and meaning of the keys are docker-registry's (its configuration.md, version 2.8), so that its files work as they are.
 * Ours are `access`, `auth.tokenserver`, `proxy.tagttl` and `storage.maintenance.garbagecollection`.
 */
export const configFile: Shape<RegistryConfig> = refine(
  section(
    {
      version: oneOf('0.1'),
      log: logSection,
      storage: storageSection,
      http: httpSection,
      auth: authSection,
      access: accessSection,
      notifications: notificationsSection,
      health: healthSection,
      proxy: proxySection,
    },
    {
      loglevel: 'use log.level',
      middleware: 'code cannot be plugged in',
      reporting: 'use the log and the metrics',
      redis: 'there is no cache that would need it',
      compatibility: 'schema 1 is not served',
      validation: 'URLs in manifests are not looked at',
      policy: 'classes of repositories are not looked at',
    },
  ),
  (given): RegistryConfig => {
    if (given.version === undefined) throw new Error('version: is required')
    const config: RegistryConfig = {
      log: given.log ?? absent(logSection, 'log'),
      storage: given.storage ?? absent(storageSection, 'storage'),
      http: given.http ?? absent(httpSection, 'http'),
      auth: given.auth ?? absent(authSection, 'auth'),
      access: given.access,
      notifications: given.notifications ?? absent(notificationsSection, 'notifications'),
      health: given.health ?? [],
      proxy: given.proxy,
    }
    // Rights that nobody would look at: an operator would believe the registry to be closed.
    if (config.access !== undefined && (config.auth.kind === 'none' || config.auth.kind === 'token')) {
      throw new Error('access: needs auth.htpasswd, with or without auth.tokenserver')
    }
    return config
  },
)
