import { stat } from 'node:fs/promises'
import { once } from 'node:events'
import { connect } from 'node:net'
import { repeat } from '../gc/schedule.ts'
import type { Page } from '../types.ts'
import type { HealthCheckOptions } from './types.ts'

/** What was found at last. */
export interface Health extends AsyncDisposable {
  /** Reason by name of the check; empty when all is well. */
  failures(): Readonly<Record<string, string>>
  /** `/debug/health` as docker-registry has it: 200 with `{}`, or 503 with what fails. For strangers only the kinds: names are addresses and paths. */
  page(options: { isPublic: boolean }): Page
}

export interface HealthDeps {
  checks: readonly HealthCheckOptions[]
  /** Of the storage. */
  storage: () => Promise<void>
}

/** Runs every check now and at its interval. A check counts as failed after `threshold` failures in a row. */
export function createHealth({ checks, storage }: HealthDeps): Health {
  const failing = new Map<string, { kind: HealthCheckOptions['kind']; reason: string }>()
  const loops = checks.map((check) => {
    const name = nameOf(check)
    let inRow = 0
    const look = async (): Promise<void> => {
      try {
        await run(check, storage)
        inRow = 0
        failing.delete(name)
      } catch (error) {
        if (++inRow >= check.threshold)
          failing.set(name, { kind: check.kind, reason: error instanceof Error ? error.message : String(error) })
      }
    }
    const first = look()
    const loop = repeat(check.interval, look, () => undefined)
    return { loop, first }
  })
  const failures = (): Record<string, string> => Object.fromEntries([...failing].map(([name, { reason }]) => [name, reason]))
  const kinds = (): Record<string, string> => Object.fromEntries([...failing.values()].map(({ kind }) => [kind, 'unhealthy']))

  return {
    failures,
    page:
      ({ isPublic }) =>
      (_request, response) => {
        const body = JSON.stringify(isPublic ? kinds() : failures())
        response.writeHead(failing.size === 0 ? 200 : 503, {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        })
        response.end(body)
      },
    async [Symbol.asyncDispose]() {
      await Promise.all(loops.flatMap(({ loop, first }) => [loop[Symbol.asyncDispose](), first]))
    },
  }
}

function nameOf(check: HealthCheckOptions): string {
  switch (check.kind) {
    case 'storage':
      return 'storagedriver'
    case 'file':
      return check.path
    case 'http':
      return check.uri
    case 'tcp':
      return `${check.host}:${check.port}`
  }
}

async function run(check: HealthCheckOptions, storage: () => Promise<void>): Promise<void> {
  switch (check.kind) {
    case 'storage':
      return storage()
    case 'file': {
      const found = await stat(check.path).catch(() => undefined)
      if (found !== undefined) throw new Error('file exists')
      return
    }
    case 'http':
      return checkHttp(check)
    case 'tcp':
      return checkTcp(check)
  }
}

async function checkHttp({ uri, headers, status, timeout }: Extract<HealthCheckOptions, { kind: 'http' }>): Promise<void> {
  const sent = Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value] satisfies [string, string]))
  const response = await fetch(uri, { method: 'HEAD', headers: sent, redirect: 'manual', signal: AbortSignal.timeout(timeout) })
  if (response.status !== status) throw new Error(`downstream service returned unexpected status: ${response.status}`)
}

async function checkTcp({ host, port, timeout }: Extract<HealthCheckOptions, { kind: 'tcp' }>): Promise<void> {
  const socket = connect({ host, port })
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(timeout) })
  } finally {
    socket.destroy()
  }
}
