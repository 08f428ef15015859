import assert from 'node:assert/strict'
import { once } from 'node:events'
import { duplexPair, PassThrough, type Duplex } from 'node:stream'
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
  it('carries what a program writes, and keeps its error output apart', async () => {
    const { program, errors, connection } = connect()
    const bytes = Buffer.concat([frame(STDOUT, 'one '), frame(STDERR, 'trouble'), frame(STDOUT, 'two')])
    // Cut inside of a header.
    program.write(bytes.subarray(0, 15))
    program.end(bytes.subarray(15))
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
    const { duplex, isEnded } = connect().connection
    duplex.destroy()
    await once(duplex, 'close')
    assert.equal(isEnded(), false)

    const stream = new PassThrough()
    const cut = programConnection(stream, () => {})
    stream.destroy()
    await once(cut.duplex, 'close')
    assert.equal(cut.isEnded(), true)
  })

  it('writes nothing to a program that has said nothing, which may be on its way to its end', async () => {
    const { program, connection } = connect()
    connection.duplex.write('settings')
    program.write(frame(STDERR, 'not yet'))
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(program.readableLength, 0)
    program.write(frame(STDOUT, 'hello'))
    await once(program, 'readable')
    assert.equal(String(program.read()), 'settings')
  })

  it('ends with a program that has said nothing', async () => {
    const { program, connection } = connect()
    connection.duplex.write('settings')
    connection.duplex.resume().once('end', () => connection.duplex.end())
    program.end()
    await once(connection.duplex, 'close')
    assert.equal(connection.isEnded(), true)
  })
})
