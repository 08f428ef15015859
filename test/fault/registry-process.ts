/** A registry in a process of its own, to be killed: `node registry-process.ts ROOT`; prints its port. */
import { createRegistry, openFileStorage } from '#registry'

const root = process.argv[2] ?? process.exit(2)
const registry = createRegistry({ storage: await openFileStorage({ root }) })
const { port } = await registry.listen({ host: '127.0.0.1', port: 0 })
console.log(port)
