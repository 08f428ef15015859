import { join } from 'node:path'
import type { Socket } from 'node:net'
import { connect } from './connect.ts'
import { milliseconds, readExitRecord } from './exit-record.ts'
import { MessageChannel, type Message } from './message-channel.ts'
import { MONITOR_SOCKET } from './protocol.ts'
import type { MessageFields } from './protocol.ts'
import { MonitoredTask } from './task.ts'
import type { Adopted } from './types.ts'

/** See `Runtime.adopt`. A monitor that is just ending is waited for, so that its control groups are gone when this says `exited`. */
export async function adopt(id: string, stateDir: string): Promise<{ adopted: Adopted; task?: MonitoredTask }> {
  const socket = await connect(join(stateDir, MONITOR_SOCKET)).catch((): undefined => undefined)
  if (socket !== undefined) {
    const task = await takeOver(id, stateDir, socket)
    if (task !== undefined) return { adopted: { state: 'running', task }, task }
  }
  const exit = await readExitRecord(stateDir)
  return { adopted: exit === undefined ? { state: 'lost' } : { state: 'exited', exit } }
}

async function takeOver(id: string, stateDir: string, socket: Socket): Promise<MonitoredTask | undefined> {
  const state = Promise.withResolvers<MonitoredTask>()
  const channel = new MessageChannel(socket, (message: Message) => {
    // At once, not in a later turn: `exited` may follow in the same packet and is the task's to receive.
    if (message.name === 'state') state.resolve(taskOf(id, stateDir, channel, message.fields))
  })
  channel.send('adopt', {})
  return Promise.race([state.promise, channel.closed.then(() => undefined)])
}

function taskOf(id: string, stateDir: string, channel: MessageChannel, state: MessageFields<'state'>): MonitoredTask {
  return new MonitoredTask({ id, stateDir, channel, operations: [], pid: state.pid, startedAt: milliseconds(state.startedAt) })
}
