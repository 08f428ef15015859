import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileTemplate, type TemplateOptions } from './template.ts'
import { NIL_SLICE, View } from './values.ts'

const view = new View('*formatter.ContainerContext', {
  ID: () => 'abc123',
  Names: () => 'web,db',
  Size: () => '<1kB',
  Label: (name: string) => (name === 'a' ? 'one' : ''),
})

const container = {
  Id: 'abc',
  Name: '/web',
  State: { Running: true, Pid: 42 },
  Config: {
    Env: ['A=1', 'B=2'],
    Labels: new Map([
      ['z', '1'],
      ['a', '2'],
    ]),
  },
  Ports: new Map<string, unknown>([
    ['80/tcp', [{ HostIp: '', HostPort: '8080' }]],
    ['53/udp', NIL_SLICE],
  ]),
  Big: 1_500_000_000,
  Half: 0.5,
}

function run(source: string, data: unknown = container, options: TemplateOptions = {}): string {
  return compileTemplate(source, options).execute(data)
}

describe('compileTemplate', () => {
  const cases: [string, string, unknown?][] = [
    ['plain', 'plain'],
    ['{{.Id}} {{ .State.Pid }}', 'abc 42'],
    ['{{.ID}} {{.Label "a"}}|{{.Label "b"}}|', 'abc123 one||', view],
    ['{{json .}}', '{"ID":"abc123","Names":"web,db","Size":"\\u003c1kB"}', view],
    ['{{json .Size}}', '"<1kB"', view],
    ['{{.Names | upper | printf "%-8s|"}}', 'WEB,DB  |', view],
    ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
    ['{{if eq .Name "/db"}}db{{else if eq .Name "/web"}}web{{else}}none{{end}}', 'web'],
    ['{{if and .State.Running (gt .State.Pid 40)}}yes{{end}}', 'yes'],
    ['{{if or .Nothing .State.Running}}yes{{end}}', 'yes'],
    ['{{if not .State.Running}}no{{end}}.', '.'],
    ['{{range .Config.Env}}{{.}};{{end}}', 'A=1;B=2;'],
    ['{{range $i, $e := .Config.Env}}{{$i}}={{$e}} {{end}}', '0=A=1 1=B=2 '],
    ['{{range $k, $v := .Config.Labels}}{{$k}}{{$v}}{{end}}', 'a2z1'],
    ['{{range .Config.Env}}{{if eq . "B=2"}}{{break}}{{end}}{{.}}{{end}}', 'A=1'],
    ['{{range .Nothing}}x{{else}}empty{{end}}', 'empty'],
    ['{{with .State}}{{.Pid}}{{end}}{{with .Nothing}}x{{else}}-{{end}}', '42-'],
    ['{{$x := .Name}}{{$x}}{{$x = "y"}}{{$x}}{{$.Id}}', '/webyabc'],
    ['{{index .Ports "80/tcp"}}', '[{ 8080}]'],
    ['{{(index (index .Ports "80/tcp") 0).HostPort}}', '8080'],
    ['{{.Ports}}', 'map[53/udp:[] 80/tcp:[{ 8080}]]'],
    ['{{json .Ports}}', '{"53/udp":null,"80/tcp":[{"HostIp":"","HostPort":"8080"}]}'],
    ['{{.Config.Env}} {{len .Config.Env}} {{.Big}} {{.Half}}', '[A=1 B=2] 2 1500000000 0.5'],
    ['{{.Nothing}} {{.Config.Labels.nothing}}', '<no value> <no value>'],
    ['a {{- .Id -}} b', 'aabcb'],
    ['a{{/* a comment */}}b {{- /* trimmed */ -}} c', 'abc'],
    ['{{"a\\tb"}} {{`raw\\t`}} {{\'x\'}} {{0x10}} {{1.5}} {{true}}', 'a\tb raw\\t 120 16 1.5 true'],
    ['{{printf "%5.1f|%05d|%x|%q|%v|%%" 2.25 42 255 "q" true}}', '  2.3|00042|ff|"q"|true|%'],
    ['{{println "a" 1}}{{print 1 2 "x"}}', 'a 1\n1 2x'],
    [
      '{{join (split "a,b" ",") "-"}} {{title "hello world"}} {{lower "AB"}} {{pad "x" 1 2}}|{{truncate "abcdef" 3}}',
      'a-b Hello World ab  x  |abc',
    ],
    ['{{slice "abcdef" 1 3}} {{html "<a>"}} {{urlquery "a b"}}', 'bc &lt;a&gt; a+b'],
  ]
  for (const [source, expected, data] of cases) {
    it(`executes ${source}`, () => assert.equal(run(source, data ?? container), expected))
  }

  const failures: [string, string, unknown?, TemplateOptions?][] = [
    ['{{.ID', 'template: :1: unclosed action'],
    ['a\n{{foo}}', 'template: :2: function "foo" not defined'],
    ['{{if}}', 'template: :1: missing value for if'],
    ['{{if .A}}', 'template: :1: unexpected EOF'],
    ['{{end}}', 'template: :1: unexpected {{end}}'],
    ['{{$y}}', 'template: :1: undefined variable "$y"'],
    ['{{"abc}}', 'template: :1: unterminated quoted string'],
    ['{{.Foo}}', 'template: :1:2: executing "" at <.Foo>: can\'t evaluate field Foo in type *formatter.ContainerContext', view],
    ['{{.Name.Foo}}', 'template: :1:7: executing "" at <.Name.Foo>: can\'t evaluate field Foo in type string'],
    ['{{eq .Name 1}}', 'template: :1:2: executing "" at <eq .Name 1>: error calling eq: incompatible types for comparison'],
    ['{{index .Config.Env 5}}', 'template: :1:2: executing "" at <index .Config.Env 5>: error calling index: index out of range: 5'],
    ['{{.State.Foo}}', 'template: :1:8: executing "" at <.State.Foo>: map has no entry for key "Foo"', container, { missing: 'map error' }],
    [
      '{{.Foo}}',
      'template: version:1:2: executing "version" at <.Foo>: can\'t evaluate field Foo in type system.versionInfo',
      container,
      { name: 'version', missing: { type: 'system.versionInfo' } },
    ],
  ]
  for (const [source, message, data, options] of failures) {
    it(`refuses ${JSON.stringify(source)} as Go does`, () =>
      assert.throws(() => run(source, data ?? container, options), { name: 'TemplateError', message }))
  }

  it('finds a field by its Go name when only capitals differ', () => {
    assert.equal(run('{{.ID}} {{.NanoCPUs}}', { Id: 'x', NanoCpus: 5 }), 'x 5')
    assert.equal(run('{{.id}}', { Id: 'x' }), '<no value>')
  })

  it('gives fields that the JSON leaves out when they are empty', () => {
    const options: TemplateOptions = { missing: 'map error', absentField: (name) => (name === 'Health' ? null : undefined) }
    assert.equal(run('{{if .State.Health}}x{{else}}none{{end}}', container, options), 'none')
    assert.throws(() => run('{{.State.Health.Status}}', container, options), /map has no entry for key "Health"/)
  })
})
