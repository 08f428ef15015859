import assert from 'node:assert/strict'
import { it } from 'node:test'
import { withProxyVariables } from './environment-proxies.ts'

it('withProxyVariables adds both spellings and lets the user win', () => {
  const config = { proxies: { default: { httpProxy: 'http://p', noProxy: 'x' }, 'tcp://special': { httpProxy: 'http://s' } } }
  assert.deepEqual(withProxyVariables(config, 'unix:///x', ['A=1', 'http_proxy=mine']), [
    'A=1',
    'http_proxy=mine',
    'HTTP_PROXY=http://p',
    'NO_PROXY=x',
    'no_proxy=x',
  ])
  assert.deepEqual(withProxyVariables(config, 'tcp://special', []), ['HTTP_PROXY=http://s', 'http_proxy=http://s'])
  assert.deepEqual(withProxyVariables({}, 'x', ['A=1']), ['A=1'])
})
