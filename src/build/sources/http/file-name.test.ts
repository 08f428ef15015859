import assert from 'node:assert/strict'
import { it } from 'node:test'
import { downloadName } from './file-name.ts'

it('downloadName is never a path', () => {
  const cases: [address: string, asked: string, disposition: string | undefined, name: string][] = [
    ['http://h/a/b.tar.gz?x=1#y', '', undefined, 'b.tar.gz'],
    ['http://h/a%20b', '', undefined, 'a b'],
    ['http://h/a%2Fb', '', undefined, 'b'],
    ['http://h/%zz', '', undefined, '%zz'],
    ['http://h/', '', undefined, 'download'],
    ['http://h/%2E%2E', '', undefined, 'download'],
    ['http://h/a', 'asked', 'attachment; filename=x', 'asked'],
    ['http://h/a', '../../asked', undefined, 'asked'],
    ['http://h/a', '', 'attachment; filename=x.txt', 'x.txt'],
    ['http://h/a', '', 'attachment; filename="x \\"y\\".txt"; size=1', 'x "y".txt'],
    ['http://h/a', '', 'attachment; filename="../../etc/passwd"', 'passwd'],
    ['http://h/a', '', "attachment; filename=y; filename*=UTF-8''x%20%C3%A9", 'x é'],
    ['http://h/a', '', 'attachment; filename="dir/"', 'a'],
    ['http://h/a', '', 'inline', 'a'],
    [`http://h/${'a'.repeat(300)}`, '', undefined, 'download'],
  ]
  for (const [address, asked, disposition, name] of cases) assert.equal(downloadName(new URL(address), asked, disposition), name)
})
