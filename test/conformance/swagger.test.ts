import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ApiDocument } from './swagger.ts'

const TEXT = `
paths:
  /things:
    get:
      responses:
        200: { schema: { type: array, items: { $ref: '#/definitions/Thing' } } }
definitions:
  Kind: { type: string, enum: [a, b] }
  Base: { type: object, required: [Id], properties: { Id: { type: string } } }
  Thing:
    allOf:
      - $ref: '#/definitions/Base'
      - type: object
        properties:
          Size: { type: integer, x-nullable: true }
          Kind: { allOf: [{ $ref: '#/definitions/Kind' }] }
          Ports: { type: object, additionalProperties: { type: object, enum: [{}] } }
          Labels: { type: object, additionalProperties: { type: string } }
`

test('ApiDocument reports what does not fit, with its place', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'gantry-swagger-'))
  t.after(() => rmSync(directory, { recursive: true }))
  writeFileSync(join(directory, 'api.yaml'), TEXT)
  const document = new ApiDocument(join(directory, 'api.yaml'))
  const check = (body: unknown) => document.validate('GET', '/things', 200, body).map(({ at, what }) => `${at} ${what}`)
  assert.deepEqual(check([{ Id: 'x', Size: null, Kind: 'a', Labels: { k: 'v' }, Ports: { 1: {} } }]), [])
  assert.deepEqual(check([{ Size: 1.5, Kind: 'c', Labels: { k: 1 }, Extra: 0 }]), [
    '[0].Id is missing',
    '[0].Size is no integer: 1.5',
    '[0].Kind is none of the values allowed: "c"',
    '[0].Labels.k is no string: 1',
    '[0].Extra is not in the schema',
  ])
  assert.deepEqual(check({}), [' is no array: {}'])
  assert.deepEqual(document.validate('GET', '/things', 404, {}), [{ at: '', what: 'GET /things has no response 404' }])
})
