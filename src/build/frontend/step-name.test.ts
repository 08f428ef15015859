import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Environment } from './environment.ts'
import { displayText, nextStepName, summarise } from './step-name.ts'

const FACTS = { platform: { os: 'linux', architecture: 'amd64' }, variables: new Environment() }

describe('nextStepName', () => {
  test('aligns numbers, and leaves out what there is one of', () => {
    const counter = { stage: 'build', total: 12, index: 8, withPlatform: false }
    assert.equal(nextStepName(counter, 'RUN a', FACTS), '[build  9/12] RUN a')
    assert.equal(nextStepName(counter, 'RUN b', { ...FACTS, onbuild: true }), '[build 10/12] ONBUILD RUN b')
    assert.equal(nextStepName({ ...counter, stage: '', total: 1, index: 0 }, 'RUN a', FACTS), '[1/1] RUN a')
    assert.equal(nextStepName({ ...counter, total: 0, index: 0 }, 'FROM a', FACTS), 'FROM a')
  })

  test('tells what is made on one platform for another', () => {
    const name = (variables: Record<string, string>): string =>
      nextStepName({ stage: 's', total: 1, index: 0, withPlatform: true }, 'RUN', {
        ...FACTS,
        variables: Environment.parse(Object.entries(variables).map(([name, value]) => `${name}=${value}`)),
      })
    assert.equal(name({}), '[linux/amd64 s 1/1] RUN')
    assert.equal(name({ TARGETPLATFORM: 'linux/amd64' }), '[linux/amd64 s 1/1] RUN')
    assert.equal(name({ TARGETPLATFORM: 'linux/arm/v6' }), '[linux/amd64->arm/v6 s 1/1] RUN')
    assert.equal(name({ TARGETARCH: 'arm64' }), '[linux/amd64->arm64 s 1/1] RUN')
    assert.equal(name({ TARGETOS: 'windows' }), '[linux/amd64->windows/amd64 s 1/1] RUN')
    assert.equal(name({ TARGETPLATFORM: '///' }), '[linux/amd64 s 1/1] RUN')
  })
})

describe('displayText', () => {
  test('has values for variables, and leaves to the shell what is the shell’s', () => {
    const variables = new Map([['A', 'x']])
    assert.equal(displayText('copy "$A" $B /', variables, { escape: '\\' }), 'COPY x  /')
    assert.equal(displayText('run echo "$A" $B', variables, { escape: '\\' }, 'command'), 'RUN echo "x" $B')
    assert.equal(displayText('RUN echo ${', variables, { escape: '\\' }, 'command'), 'RUN echo ${')
  })
})

describe('summarise', () => {
  test('is the first line', () => {
    assert.equal(summarise('\n one\r\ntwo\n'), 'one...')
    assert.equal(summarise('one\n'), 'one')
  })
})
