import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ResponseParser, type ResponseHead } from './response-parser.ts'

/** Feeds `text` in pieces of `size` bytes; collects what comes out. */
function parse(
  method: string,
  text: string,
  size: number = text.length,
): { head: ResponseHead | undefined; body: string; complete: boolean; parser: ResponseParser } {
  let head: ResponseHead | undefined
  let body = ''
  let complete = false
  const parser = new ResponseParser(method, {
    onHead: (received) => (head = received),
    onBody: (chunk) => (body += chunk.toString('latin1')),
    onComplete: () => (complete = true),
  })
  const bytes = Buffer.from(text, 'latin1')
  for (let at = 0; at < bytes.length; at += size) {
    // A copy that is overwritten afterwards: the parser may not keep references to what it was given.
    const piece = Buffer.from(bytes.subarray(at, at + size))
    parser.push(piece)
    piece.fill(0)
  }
  return { head, body, complete, parser }
}

const COUNTED = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello'
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n7;ext=1\r\n, world\r\n0\r\nTrailer: x\r\n\r\n'

describe('ResponseParser', () => {
  it('reads a counted body however it is cut', () => {
    for (let size = 1; size <= COUNTED.length; size++) {
      const { head, body, complete } = parse('GET', COUNTED, size)
      assert.equal(head?.status, 200)
      assert.equal(head?.headers.get('content-type'), 'text/plain')
      assert.equal(body, 'hello')
      assert.ok(complete)
    }
  })

  it('reads a chunked body with extension and trailer however it is cut', () => {
    for (let size = 1; size <= CHUNKED.length; size++) {
      const { body, complete } = parse('GET', CHUNKED, size)
      assert.equal(body, 'hello, world')
      assert.ok(complete)
    }
  })

  it('expects no body behind HEAD, 204 and 304', () => {
    assert.ok(parse('HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n').complete)
    assert.ok(parse('POST', 'HTTP/1.1 204 No Content\r\n\r\n').complete)
    assert.ok(parse('POST', 'HTTP/1.1 304 Not Modified\r\n\r\n').complete)
  })

  it('treats what follows a 101 as the body, until the end', () => {
    const { head, body, complete, parser } = parse('POST', 'HTTP/1.1 101 UPGRADED\r\nUpgrade: tcp\r\n\r\nraw\r\n\r\nbytes')
    assert.equal(head?.keepAlive, false)
    assert.equal(body, 'raw\r\n\r\nbytes')
    assert.equal(complete, false)
    parser.end()
    assert.ok(parser.complete)
  })

  it('skips interim responses', () => {
    assert.equal(parse('PUT', `HTTP/1.1 100 Continue\r\n\r\n${COUNTED}`).head?.status, 200)
  })

  it('throws SyntaxError on a connection that breaks off', () => {
    for (const text of ['HTTP/1.1 200 OK\r\n', COUNTED.slice(0, -1), CHUNKED.slice(0, -3)]) {
      assert.throws(() => parse('GET', text).parser.end(), SyntaxError)
    }
  })

  it('throws SyntaxError on what is not HTTP', () => {
    const malformed = [
      'SSH-2.0-OpenSSH\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
      'HTTP/1.1 200 OK\r\nno colon\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n',
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}`,
    ]
    for (const text of malformed) assert.throws(() => parse('GET', text), SyntaxError, JSON.stringify(text.slice(0, 60)))
  })

  it('says whether the connection can be used again', () => {
    assert.equal(parse('GET', COUNTED).head?.keepAlive, true)
    assert.equal(parse('GET', COUNTED.replace('Content-Type', 'Connection: close\r\nX')).head?.keepAlive, false)
    assert.equal(parse('GET', COUNTED.replace('1.1', '1.0')).head?.keepAlive, false)
  })
})
