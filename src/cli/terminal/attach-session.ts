import { FrameDecoder } from '#api'
import type { HijackedStream } from '#client'
import { DetachDetector, parseDetachKeys } from './detach-keys.ts'
import { enterRawMode } from './raw-mode.ts'
import type { Output } from './output.ts'

export interface SessionOptions {
  stream: HijackedStream
  /** One raw stream both ways, and detach keys; else frames for two streams. */
  tty: boolean
  /** Send standard input. */
  stdin: boolean
  stdout?: Output
  stderr?: Output
  detachKeys: string
}

/** A running exchange between our standard streams and a container's. */
export interface Session {
  /** `ended`: the daemon has sent everything. `detached`: the user typed the detach keys. Rejects when the connection breaks off. */
  done: Promise<'ended' | 'detached'>
  /** Restores the terminal and lets go of standard input and the connection. May be called at any time, more than once. */
  stop(): void
}

/** Connects our standard streams with a hijacked stream, in raw mode when a terminal talks to one. */
export function startSession(options: SessionOptions): Session {
  const { stream } = options
  const input = options.stdin ? startInput(options) : undefined
  const output = pumpOutput(options)
  const ended = output.then(
    () => 'ended' as const,
    (error: unknown) => {
      throw error
    },
  )
  // Without output there is nothing to wait for but the end of our own input.
  const done = options.stdout === undefined && options.stderr === undefined && input !== undefined ? input.done : ended
  const session: Session = {
    done: (input === undefined ? done : Promise.race([done, input.detached])).finally(() => input?.stop()),
    stop() {
      input?.stop()
      stream.close()
    },
  }
  session.done.catch(() => {}) // whoever awaits it sees the error; nobody need
  return session
}

function pumpOutput({ stream, tty, stdout, stderr }: SessionOptions): Promise<void> {
  if (tty) return stream.body.pipe((chunk) => stdout?.write(chunk))
  let systemError = ''
  const decoder = new FrameDecoder((name, payload) => {
    if (name === 'stderr') stderr?.write(payload)
    else if (name === 'systemError') systemError += payload.toString('utf8')
    else stdout?.write(payload)
  })
  return stream.body
    .pipe((chunk) => decoder.write(chunk))
    .then(() => {
      if (systemError !== '') throw new Error(`error from daemon in stream: ${systemError}`)
    })
}

interface Input {
  /** Our input has ended and the container was told. */
  done: Promise<'ended'>
  detached: Promise<'detached'>
  stop(): void
}

function startInput({ stream, tty, detachKeys }: SessionOptions): Input {
  const { stdin } = process
  const detector = tty ? new DetachDetector(validKeys(detachKeys)) : undefined
  const done = Promise.withResolvers<'ended'>()
  const detached = Promise.withResolvers<'detached'>()
  let stopped = false

  const send = (chunk: Uint8Array): void => {
    if (chunk.length === 0) return
    stdin.pause()
    stream.write(chunk).then(
      () => {
        if (!stopped) stdin.resume()
      },
      () => {}, // the connection broke: the reading side reports it
    )
  }
  const onData = (chunk: Buffer): void => {
    if (detector === undefined) return send(chunk)
    const { bytes, detached: isDetached } = detector.feed(chunk)
    send(bytes)
    if (isDetached) {
      stop()
      detached.resolve('detached')
    }
  }
  const onEnd = (): void => {
    stream.closeWrite()
    done.resolve('ended')
  }
  const stop = (): void => {
    if (stopped) return
    stopped = true
    stdin.off('data', onData).off('end', onEnd).off('error', onEnd).pause()
    restore?.()
    // A pending read on a terminal or pipe would keep the process alive.
    if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  }

  const restore = tty && stdin.isTTY ? enterRawMode() : undefined
  stdin.on('data', onData).on('end', onEnd).on('error', onEnd)
  return { done: done.promise, detached: detached.promise, stop }
}

/** Docker warns about bad keys and goes on with the default. */
function validKeys(text: string): readonly number[] {
  try {
    return parseDetachKeys(text)
  } catch {
    return parseDetachKeys('')
  }
}
