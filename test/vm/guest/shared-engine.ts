import { readFileSync } from 'node:fs'
import { after, before } from 'node:test'
import { GuestEngine } from './engine.ts'

/** One daemon for all files of tests, which run in one process, one after the other: in an emulated machine a start takes seconds. It has the image `starter`. */
export const engine: GuestEngine = new GuestEngine()

before(async () => {
  await engine.start()
  await engine.call('POST', '/images/create?fromSrc=-&repo=starter', readFileSync('/opt/gantry/starter.tar'))
})

after(() => engine.stop('SIGTERM'))
