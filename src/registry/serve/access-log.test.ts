import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { RequestReport } from '../types.ts'
import { accessLine } from './access-log.ts'

const REPORT: RequestReport = {
  id: 'x',
  address: '203.0.113.7:53412',
  host: 'h',
  method: 'GET',
  userAgent: 'docker/28',
  route: 'base',
  path: '/v2/',
  status: 200,
  seconds: 0.01,
  received: 0,
  sent: 3,
  aborted: false,
}
const NOW = new Date('2026-01-02T03:04:05Z')

it('accessLine writes the Combined Log Format', () => {
  assert.equal(accessLine(REPORT, NOW), '203.0.113.7 - - [02/Jan/2026:03:04:05 +0000] "GET /v2/ HTTP/1.1" 200 3 "" "docker/28"')
  assert.match(accessLine({ ...REPORT, address: '[2001:db8::1]:80', actor: 'alice' }, NOW), /^2001:db8::1 - alice \[/)
})

it('accessLine lets nothing of the client look like another field or line', () => {
  const line = accessLine({ ...REPORT, actor: 'a b" 200\n', path: '/v2/"\r\n127.0.0.1', userAgent: '"\n' }, NOW)
  assert.doesNotMatch(line, /[\r\n]/)
  assert.match(line, /^203\.0\.113\.7 - a\\u0020b\\"\\u0020200\\n \[.*\] "GET \/v2\/\\"\\r\\n127\.0\.0\.1 HTTP\/1\.1" 200 3 "" "\\"\\n"$/)
})
