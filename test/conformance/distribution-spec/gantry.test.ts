/** The registry against distribution-spec v1.1, case by case. `REGISTRY_URL=http://host:port` checks one that runs somewhere, in whatever language it is written. */
import { after, before, describe, it } from 'node:test'
import { CATEGORIES } from './all-cases.ts'
import { startGantry, useRunning, type Target } from './target.ts'

const url = process.env['REGISTRY_URL']
let target: Target

describe(url === undefined ? 'gantry registry' : url, () => {
  before(async () => {
    target = url === undefined ? await startGantry() : useRunning(url)
  })
  after(() => target[Symbol.asyncDispose]())

  for (const [category, cases] of Object.entries(CATEGORIES)) {
    describe(category, () => {
      for (const { section, name, check } of cases) it(`${section}: ${name}`, () => check(target.client))
    })
  }
})
