/**
 * What the frontends in containers of the image `front` really do: each is connected to this process, which writes its port when it listens. The first lines are the
 * variables of the frontend in its container; behind an empty line the daemon serves LLBBridge.
 */
import { createServer, type Socket } from 'node:net'
import { connectGrpc, createClient, gateway, toGrpcError, toStatus } from '#grpc'
import { SCENARIOS, type Variables } from './scenarios.ts'

const listener = createServer((socket) => {
  // A frontend whose build was ended has nobody to tell.
  serve(socket).catch(() => socket.destroy())
})
listener.listen(0, '0.0.0.0', () => {
  const address = listener.address()
  if (address !== null && typeof address === 'object') console.log(address.port)
})

async function serve(socket: Socket): Promise<void> {
  const variables = await readVariables(socket)
  const connection = connectGrpc(socket)
  const bridge = createClient(gateway.LLBBridge, connection.transport)
  const [, name = ''] = (variables.options['cmdline'] ?? '').split(' ')
  try {
    const scenario = SCENARIOS[name]
    if (scenario === undefined) throw new Error(`no scenario ${name}`)
    await bridge.return({ result: await scenario(bridge, variables) })
  } catch (error) {
    await bridge.return({ error: toStatus(toGrpcError(error)) })
  } finally {
    connection.close()
  }
}

async function readVariables(socket: Socket): Promise<Variables> {
  let text = Buffer.alloc(0)
  while (!text.includes('\n\n')) {
    const chunk = socket.read() as Buffer | null
    if (chunk === null) await new Promise((resolve) => socket.once('readable', resolve))
    else text = Buffer.concat([text, chunk])
  }
  const end = text.indexOf('\n\n')
  socket.unshift(text.subarray(end + 2))
  const pairs = text
    .subarray(0, end)
    .toString()
    .split('\n')
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
  const options = pairs.filter(([name]) => name.startsWith('BUILDKIT_FRONTEND_OPT_')).map(([, value]) => value)
  return {
    environment: Object.fromEntries(pairs),
    options: Object.fromEntries(options.map((option) => [option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)])),
  }
}
