import { JsonLineDecoder } from '#api'
import type { BodyStream } from './body-stream.ts'

/**
 * Calls `each` for every JSON value of a stream: progress, events, stats. Rejects with SyntaxError on malformed JSON, and with whatever
 * `each` throws, which ends the connection.
 */
export async function readJsonStream(body: BodyStream, each: (value: unknown) => void): Promise<void> {
  const decoder = new JsonLineDecoder()
  await body.pipe((chunk) => {
    // The decoder keeps unfinished lines, and the transport reuses its buffer: hence the copy.
    for (const value of decoder.write(Buffer.from(chunk))) each(value)
  })
  for (const value of decoder.end()) each(value)
}
