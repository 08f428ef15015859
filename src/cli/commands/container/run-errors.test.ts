import assert from 'node:assert/strict'
import { it } from 'node:test'
import { startStatus } from './run-errors.ts'

it("startStatus tells who failed from the daemon's text", () => {
  assert.equal(startStatus('exec: "foo": executable file not found in $PATH'), 127)
  assert.equal(startStatus('stat /foo: no such file or directory'), 127)
  assert.equal(startStatus('exec /etc/passwd: permission denied'), 126)
  assert.equal(startStatus('exec /etc: is a directory'), 126)
  assert.equal(startStatus('port is already allocated'), 125)
})
