import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unusedArguments } from './unused-arguments.ts'

test('unusedArguments finds those that no ARG names, but for proxies', () => {
  const options = Object.fromEntries(['GLOBAL', 'ONE', 'TWO', 'TREE', 'HTTP_PROXY', 'no_proxy'].map((name) => [`build-arg:${name}`, '1']))
  const steps = ['ARG GLOBAL', 'FROM base', 'arg ONE TWO="a b"', 'ENV TREE=1', 'RUN ARG TREE'].map((text) => ({ text, vertex: undefined }))
  assert.deepEqual(unusedArguments({ ...options, target: 'x' }, steps), ['TREE'])
})
