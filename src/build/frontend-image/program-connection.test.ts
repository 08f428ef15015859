import assert from 'node:assert/strict'
import { once } from 'node:events'
import { duplexPair, type Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { programConnection } from './program-connection.ts'

const [STDOUT, STDERR] = [1, 2]

/** As the monitor writes it. */
function frame(source: number, data: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = source
  header.writeUInt32BE(data.length, 4)
  return Buffer.concat([header, Buffer.from(data)])
}

function connect(): { program: Duplex; errors: string[]; connection: ReturnType<typeof programConnection> } {
  const [program, stream] = duplexPair()
  const errors: string[] = []
  return { program, errors, connection: programConnection(stream, (data) => errors.push(data.toString())) }
}

describe('programConnection', () => {
  it('carries input and output, and keeps the error output apart', async () => {
    const { program, errors, connection } = connect()
    connection.duplex.end('to the program')
    const bytes = Buffer.concat([frame(STDOUT, 'one '), frame(STDERR, 'trouble'), frame(STDOUT, 'two')])
    // Cut inside of a header.
    program.write(bytes.subarray(0, 15))
    program.end(bytes.subarray(15))
    assert.equal(await text(program), 'to the program')
    assert.equal(await text(connection.duplex), 'one two')
    assert.deepEqual(errors, ['trouble'])
    assert.equal(connection.isEnded(), true)
  })

  it('waits with a program that writes more than is read', async () => {
    const { program, connection } = connect()
    const size = 1 << 20
    const written = new Promise((resolve) => program.write(frame(STDOUT, 'x'.repeat(size)), resolve))
    program.end()
    await once(connection.duplex, 'readable')
    assert.ok(connection.duplex.readableLength <= size)
    assert.equal((await text(connection.duplex)).length, size)
    await written
  })

  it('knows who has ended it', async () => {
    const cut = connect()
    cut.connection.duplex.destroy()
    await once(cut.connection.duplex, 'close')
    assert.equal(cut.connection.isEnded(), false)

    const broken = connect()
    broken.connection.duplex.on('error', () => {})
    broken.program.on('error', () => {})
    broken.program.destroy(new Error('gone'))
    broken.connection.duplex.write('x')
    if (!broken.connection.duplex.destroyed) await once(broken.connection.duplex, 'close')
    assert.equal(broken.connection.isEnded(), true)
  })
})
