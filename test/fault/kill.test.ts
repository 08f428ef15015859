/**
 * The daemon is killed with SIGKILL at 50 random moments while clients create, start, exec, stop and remove in parallel. After each start
 * nothing may be lost or doubled: every container that a client was told about and did not remove is there, none is there that nobody asked
 * for, the running ones answer, each output line of the counting containers is logged once and in order, and nothing leaks.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Engine } from '../harness/index.ts'

const KILLS = 50

interface Book {
  /** Containers whose create was answered and for which no removal was ever asked. */
  kept: Set<string>
  /** A stop was asked: it may end at any moment, also after the daemon has died. */
  stopping: Set<string>
  /** Removal was asked; it may or may not have been carried out. */
  removing: Set<string>
  /** Removal was answered. */
  removed: Set<string>
}

/** One client's life until it is told to stop: every error is fine (the daemon dies under it), what was answered is written down. */
async function client(engine: Engine, book: Book, number: number, going: () => boolean): Promise<void> {
  for (let turn = 0; going(); turn++) {
    try {
      const created = await engine.request('POST', `/containers/create?name=c${number}-${turn}-${Date.now()}`, {
        Image: 'starter',
        Cmd: ['sh', '-c', 'trap "exit 0" TERM; i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02; done'],
        HostConfig: { NetworkMode: turn % 2 === 0 ? 'bridge' : 'none' },
      })
      if (created.status !== 201) continue
      const id: string = created.json.Id
      book.kept.add(id)
      await engine.request('POST', `/containers/${id}/start`)
      const exec = await engine.request('POST', `/containers/${id}/exec`, { Cmd: ['true'] })
      if (exec.status === 201) await engine.request('POST', `/exec/${exec.json.Id}/start`, { Detach: true })
      if (turn % 3 === 0) continue
      book.stopping.add(id)
      await engine.request('POST', `/containers/${id}/stop?t=1`)
      book.kept.delete(id)
      book.removing.add(id)
      const removed = await engine.request('DELETE', `/containers/${id}?force=1`)
      if (removed.status !== 204 && removed.status !== 404) continue
      book.removing.delete(id)
      book.removed.add(id)
    } catch {
      // The daemon is gone; the main loop starts it again.
      await sleep(20)
    }
  }
}

/** What the log of a counting container says; throws when a line is missing, doubled or out of order. */
function checkLog(id: string, text: string): void {
  const lines = text.split('\n').filter((line) => line !== '')
  let expected = 0
  for (const line of lines) {
    const number = Number(/^line (\d+)$/.exec(line)?.[1] ?? NaN)
    // A container that was started again counts from 0 again.
    if (number === 0) expected = 0
    assert.equal(number, expected, `container ${id}: log line ${JSON.stringify(line)} where ${expected} was due`)
    expected++
  }
}

test(`kill -9 of the daemon at ${KILLS} random moments under load loses and doubles nothing`, { timeout: 500_000 }, async () => {
  await using engine = await Engine.start()
  engine.loadStarter()
  const book: Book = { kept: new Set(), stopping: new Set(), removing: new Set(), removed: new Set() }
  for (let kill = 0; kill < KILLS; kill++) {
    let going = true
    const clients = Array.from({ length: 4 }, (_, number) => client(engine, book, number, () => going))
    await sleep(50 + Math.random() * 400)
    await engine.stopDaemon('SIGKILL')
    going = false
    await Promise.all(clients)
    await engine.startDaemon()

    const list: { Id: string; State: string; Names: string[] }[] = (await engine.request('GET', '/containers/json?all=1')).json
    const ids = list.map(({ Id }) => Id)
    assert.equal(new Set(ids).size, ids.length, 'no container twice')
    for (const id of book.kept) assert.ok(ids.includes(id), `kill ${kill}: container ${id} was lost`)
    for (const id of book.removed) assert.ok(!ids.includes(id), `kill ${kill}: container ${id} was removed and is there again`)
    // The create of one that the client never heard of may have been carried out: at most one per client.
    const unknown = ids.filter((id) => !book.kept.has(id) && !book.removing.has(id))
    assert.ok(unknown.length <= 4, `kill ${kill}: ${unknown.length} containers nobody was told of`)
    for (const { Id, State } of list.filter((container) => !book.stopping.has(container.Id))) {
      const { json } = await engine.request('GET', `/containers/${Id}/json`)
      assert.equal(json.State.Running, State === 'running')
      if (json.State.Running) {
        process.kill(json.State.Pid, 0)
        const exec = await engine.request('POST', `/containers/${Id}/exec`, { Cmd: ['true'] })
        assert.equal(exec.status, 201)
      }
    }
    // Keep the load bounded: half of the containers go, their logs are read first.
    for (const id of ids.filter((_, index) => index % 2 === 0 || !book.kept.has(ids[index] ?? ''))) {
      await engine.request('POST', `/containers/${id}/kill`)
      checkLog(id, engine.docker(['logs', id]).stdout)
      assert.equal((await engine.request('DELETE', `/containers/${id}?force=1`)).status, 204)
      book.kept.delete(id)
      book.removing.delete(id)
    }
  }
})
