import assert from 'node:assert/strict'
import { it } from 'node:test'
import { chooseFormat, formatList } from './format-list.ts'
import { View } from './template/values.ts'

const rows = ['web', 'db'].map(
  (name) => new View('*x.Row', { ID: () => `id-${name}`, Name: () => name, Label: (key: string) => `${key}!` }),
)
const headers = { ID: 'ROW ID', Name: 'NAME' }

it('formatList writes a table with headings', () => {
  assert.equal(formatList('table {{.ID}}\t{{.Name}}', rows, headers), 'ROW ID    NAME\nid-web    web\nid-db     db\n')
})

it('formatList accepts escaped tabs, and names label columns after the label', () => {
  assert.equal(
    formatList('table {{upper .Name}}\\t{{.Label "com.example.team-name"}}', rows, headers),
    'NAME      team name\nWEB       com.example.team-name!\nDB        com.example.team-name!\n',
  )
})

it('formatList writes one line a row for a template, and JSON for json', () => {
  assert.equal(formatList('{{.Name}}', rows, headers), 'web\ndb\n')
  assert.equal(formatList('json', rows, headers), '{"ID":"id-web","Name":"web"}\n{"ID":"id-db","Name":"db"}\n')
})

it('formatList writes the headings of an empty table', () => {
  assert.equal(formatList('table {{.ID}}\t{{.Name}}', [], headers), 'ROW ID    NAME\n')
})

it("formatList refuses bad templates with Docker's words", () => {
  assert.throws(() => formatList('{{.ID', rows, headers), /^TemplateError: template parsing error: template: :1: unclosed action$/)
  assert.throws(() => formatList('{{.X}}', rows, headers), /template parsing error: .*can't evaluate field X in type \*x\.Row/)
})

it('chooseFormat prefers the flag, then the configuration, then the table', () => {
  assert.equal(chooseFormat('{{.ID}}', 'x', 't'), '{{.ID}}')
  assert.equal(chooseFormat('', 'x', 't'), 'x')
  assert.equal(chooseFormat('', undefined, 't'), 'table t')
  assert.equal(chooseFormat('table', 'x', 't'), 'table t')
})
