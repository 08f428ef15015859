import { join } from 'node:path'
import type { Socket } from 'node:net'
import { connect } from './connect.ts'
import { milliseconds, readExitRecord } from './exit-record.ts'
import { runPoststopHooks } from './hooks/launch-hooks.ts'
import { MessageChannel, type Message } from './message-channel.ts'
import { MONITOR_SOCKET, PHASES } from './protocol.ts'
import { MonitoredTask, type TaskWarning } from './task.ts'
import type { Adopted } from './types.ts'

/** See `Runtime.adopt`. A monitor that is just ending is waited for, so that its control groups are gone when this says `exited`. */
export async function adopt(id: string, stateDir: string, warn: TaskWarning): Promise<{ adopted: Adopted; task?: MonitoredTask }> {
  const socket = await connect(join(stateDir, MONITOR_SOCKET)).catch((): undefined => undefined)
  if (socket !== undefined) {
    const task = await takeOver(id, stateDir, socket, warn)
    if (task !== undefined) return { adopted: { state: 'running', task }, task }
  }
  await runPoststopHooks(stateDir, (error) => warn('a poststop hook failed', { task: id, error: String(error) }))
  const exit = await readExitRecord(stateDir)
  return { adopted: exit === undefined ? { state: 'lost' } : { state: 'exited', exit } }
}

/**
 * undefined: the monitor is about to be gone. One that nobody has started belongs to a daemon that died in between: it is told to undo
 * what it made, as it would by itself on seeing that daemon's end.
 */
async function takeOver(id: string, stateDir: string, socket: Socket, warn: TaskWarning): Promise<MonitoredTask | undefined> {
  const found = Promise.withResolvers<MonitoredTask>()
  const channel = new MessageChannel(socket, (message: Message) => {
    // The task is made at once, not in a later turn: `exited` may follow in the same packet and is the task's to receive.
    if (message.name === 'started') found.resolve(taskOf(message.fields))
    if (message.name !== 'state') return
    if (message.fields.phase >= PHASES.running) found.resolve(taskOf(message.fields))
    else if (message.fields.phase < PHASES.starting) channel.end()
  })

  function taskOf({ pid, startedAt }: { pid: number; startedAt: bigint }): MonitoredTask {
    return new MonitoredTask({ id, stateDir, channel, operations: [], pid, startedAt: milliseconds(startedAt), warn })
  }

  channel.send('adopt', {})
  return Promise.race([found.promise, channel.closed.then(() => undefined)])
}
