import { spawn } from 'node:child_process'
import { IDLE_LISTENER, type Transport } from './transport.ts'

/** ssh's own words are kept for the error message, up to this many characters. */
const STDERR_LIMIT = 4096

/**
 * HTTP over the standard streams of `ssh … docker system dial-stdio`. One ssh process per connection, as Docker does; ControlMaster in the
 * user's ssh configuration makes that cheap.
 */
export function sshTransport(args: readonly string[], socketPath: string | undefined): Transport {
  const remote =
    socketPath === undefined ? ['docker', 'system', 'dial-stdio'] : ['docker', '--host', `unix://${socketPath}`, 'system', 'dial-stdio']
  // In a session of its own: Ctrl-C in our terminal must reach the container, not kill the connection that carries it.
  const child = spawn('ssh', [...args, ...remote], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  let stderr = ''
  let failed = false
  const transport: Transport = {
    listener: IDLE_LISTENER,
    write: (data) => child.stdin.write(data),
    end: () => void child.stdin.end(),
    pause: () => void child.stdout.pause(),
    resume: () => void child.stdout.resume(),
    destroy: () => {
      child.stdin.destroy()
      child.stdout.destroy()
      child.kill('SIGTERM')
    },
  }
  const fail = (error: Error): void => {
    if (failed) return
    failed = true
    transport.listener.onError(error)
  }
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(0, STDERR_LIMIT)))
  child.stdin.on('error', () => {}) // EPIPE: the exit below tells the reason
  child.stdin.on('drain', () => transport.listener.onDrain?.())
  child.stdout.on('data', (chunk: Buffer) => transport.listener.onData(chunk))
  child.stdout.on('error', fail)
  child.on('error', fail)
  child.on('close', (code) => {
    if (code === 0 || failed) transport.listener.onEnd()
    else
      fail(
        new Error(
          `command [ssh ${[...args, ...remote].join(' ')}] has exited with exit status ${code}, make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=${stderr.trim()}`,
        ),
      )
  })
  return transport
}
