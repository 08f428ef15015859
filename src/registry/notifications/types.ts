/** Contracts of the registry's notifications: webhooks in the format of docker-registry. */

/** A place that is told what happens. */
export interface EndpointOptions {
  name: string
  url: string
  /** Sent with every notification. */
  headers: Readonly<Record<string, readonly string[]>>
  /** Milliseconds for one attempt. */
  timeout: number
  /** Failures in a row after which `backoff` is waited between attempts. */
  threshold: number
  /** Milliseconds. */
  backoff: number
  /** Events that are not sent. */
  ignoredMediaTypes: readonly string[]
  ignoredActions: readonly string[]
}
