import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair, Readable } from 'node:stream'
import { after, afterEach } from 'node:test'
import { connectGrpc, control, createClient, gateway, type Client, type Transport } from '#grpc'
import { digestOf } from '#oci'
import { createBuildkitDoor, type BuildkitDoor } from '../buildkit-door.ts'
import type { FakeBuilds } from './fake-builds.ts'
import { memoryRows } from './memory-rows.ts'

/** What the engine's content store holds. */
export const BLOB: Buffer = Buffer.from('0123456789')

/** A client of a door, and the door. */
export interface DoorClient {
  door: BuildkitDoor
  transport: Transport
  control: Client<typeof control.Control>
  bridge: Client<typeof gateway.LLBBridge>
}

/** To be called once in a file of tests: opens doors over builds, each with an empty history, which are closed when the test ends. */
export function doorOpener(): (builds: FakeBuilds) => DoorClient {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-history-'))
  const opened: { close(): void }[] = []
  afterEach(() => opened.splice(0).forEach((connection) => connection.close()))
  after(() => rmSync(directory, { recursive: true }))
  return ({ service }) => {
    const door = createBuildkitDoor({
      builds: service,
      content: {
        has: (digest) => digest === digestOf(BLOB),
        size: () => BLOB.length,
        read: () => Readable.from([BLOB.subarray(0, 4), BLOB.subarray(4)]),
        list: () => [],
      },
      makeVertex: (op, inputs, meta) => ({ id: digestOf(Buffer.from(JSON.stringify(op))), op, inputs, meta }),
      platform: { os: 'linux', architecture: 'amd64' },
      history: { rows: memoryRows(), directory, report: assert.ifError },
      worker: { id: 'worker', hostname: 'host', version: '1.2.3', revision: 'abc', hostGatewayIps: () => ['172.17.0.1'] },
    })
    const [ours, theirs] = duplexPair()
    door.serve(theirs)
    const connection = connectGrpc(ours)
    opened.push(connection, door)
    const { transport } = connection
    return { door, transport, control: createClient(control.Control, transport), bridge: createClient(gateway.LLBBridge, transport) }
  }
}
