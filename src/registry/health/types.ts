/** Contracts of the registry's health. */

/** What is looked at; times in milliseconds. */
export type HealthCheckOptions = { interval: number; /** Failures in a row until it counts. */ threshold: number } & (
  | { kind: 'storage' }
  /** Fails while the file exists: a switch for operators. */
  | { kind: 'file'; path: string }
  | { kind: 'http'; uri: string; headers: Readonly<Record<string, readonly string[]>>; status: number; timeout: number }
  | { kind: 'tcp'; host: string; port: number; timeout: number }
)
