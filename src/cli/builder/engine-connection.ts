import { createHash, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { basename, resolve } from 'node:path'
import { hijackedDuplex, type EngineClient } from '#client'
import { connectGrpc, control, createClient, gateway, type Client } from '#grpc'
import { createSessionServer, sessionMethods, type SessionResources } from './session/session-services.ts'

/** The two connections of a build: one on which we ask, one on which the engine asks. */
export interface EngineConnection extends Disposable {
  readonly control: Client<typeof control.Control>
  readonly bridge: Client<typeof gateway.LLBBridge>
  /** Id of our session. */
  readonly session: string
  /** Aborts when the engine has gone. */
  readonly closed: AbortSignal
}

/** Opens both. Rejects with DaemonError when the engine builds in another way, or not at all. */
export async function connectToEngine(engine: EngineClient, resources: SessionResources): Promise<EngineConnection> {
  const session = randomUUID().replaceAll('-', '')
  const root = resources.directories['context'] ?? process.cwd()
  const headers = {
    'X-Docker-Expose-Session-Uuid': session,
    // A directory may be called anything, with line ends in it, too.
    'X-Docker-Expose-Session-Name': encodeURIComponent(basename(root)),
    'X-Docker-Expose-Session-Sharedkey': sharedKey(root),
    'X-Docker-Expose-Session-Grpc-Method': sessionMethods(resources),
  }
  using undo = new DisposableStack()
  const server = undo.adopt(createSessionServer(resources), (opened) => opened.close())
  const [served, called] = await Promise.all([engine.upgrade('/session', 'h2c', headers), engine.upgrade('/grpc', 'h2c')])
  server.serve(undo.adopt(hijackedDuplex(served), (duplex) => duplex.destroy()))
  const connection = undo.adopt(connectGrpc(hijackedDuplex(called)), (opened) => opened.close())
  const kept = undo.move()
  return {
    control: createClient(control.Control, connection.transport),
    bridge: createClient(gateway.LLBBridge, connection.transport),
    session,
    closed: connection.closed,
    [Symbol.dispose]: () => kept.dispose(),
  }
}

/** The same for each build of a directory on this machine: what the engine has of it needs not be sent again. */
function sharedKey(root: string): string {
  return createHash('sha256')
    .update(`${hostname()}\0${process.getuid?.() ?? 0}\0${resolve(root)}`)
    .digest('hex')
}
