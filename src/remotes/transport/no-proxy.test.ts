import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bypassesProxy, inRange } from './no-proxy.ts'

describe('bypassesProxy', () => {
  const CASES: [string, string, boolean][] = [
    ['http://localhost:5000/', '', true],
    ['https://127.8.9.1/', '', true],
    ['https://[::1]:5000/', '', true],
    ['https://example.com/', '', false],
    ['https://example.com/', '*', true],
    ['https://example.com/', 'example.com', true],
    ['https://a.EXAMPLE.com/', ' x, Example.com', true],
    ['https://badexample.com/', 'example.com', false],
    ['https://example.com/', '.example.com', false],
    ['https://a.example.com/', '*.example.com', true],
    ['https://example.com/', 'example.com:443', true],
    ['https://example.com:5000/', 'example.com:443', false],
    ['http://10.1.2.3/', '10.0.0.0/8', true],
    ['http://11.1.2.3/', '10.0.0.0/8', false],
    ['http://11.1.2.3:80/', '11.1.2.3', true],
    ['http://[fd00::1]/', 'fd00::/8', true],
  ]
  for (const [url, list, expected] of CASES) {
    it(`is ${expected} for ${url} with "${list}"`, () => assert.equal(bypassesProxy(new URL(url), list), expected))
  }
})

describe('inRange', () => {
  const NONE: [string, string][] = [
    ['10.0.0.1', '10.0.0.0/33'],
    ['10.0.0.1', '10.0.0.0/'],
    ['10.0.0.1', 'fd00::/8'],
    ['name', '10.0.0.0/8'],
    ['10.0.0.1', 'registry/8'],
  ]
  for (const [address, range] of NONE) it(`holds ${address} not in ${range}`, () => assert.equal(inRange(address, range), false))
})
