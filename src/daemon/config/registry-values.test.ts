import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { insecureRegistry, maskCredentials, mirrorUrl } from './registry-values.ts'

describe('mirrorUrl', () => {
  it('gives a mirror exactly one slash at its end', () => {
    assert.equal(mirrorUrl('https://mirror.example'), 'https://mirror.example/')
    assert.equal(mirrorUrl('http://127.0.0.1:5000/hub/'), 'http://127.0.0.1:5000/hub/')
  })

  const refused: [string, RegExp][] = [
    [
      'mirror.example:5000',
      /^Error: invalid mirror: no scheme specified for "mirror\.example:5000": must use either 'https:\/\/' or 'http:\/\/'$/,
    ],
    ['ftp://mirror.example', /unsupported scheme "ftp" in "ftp:\/\/mirror\.example"/],
    ['https://mirror.example/?a=b', /query or fragment at end of the URI/],
    ['https://me:secret@mirror.example', /username\/password not allowed in URI "https:\/\/me:xxxxx@mirror\.example\/"/],
    ['https://', /is not a valid URI/],
  ]
  for (const [text, message] of refused) it(`refuses ${text}`, () => assert.throws(() => mirrorUrl(text), message))
})

describe('insecureRegistry', () => {
  it('takes hosts, ports, addresses and networks, and leaves a scheme out', () => {
    for (const text of ['registry', 'registry:5000', 'a.b.example', '[::1]:5000', '::1', '10.0.0.0/8', 'fd00::/8'])
      assert.equal(insecureRegistry(text), text)
    assert.equal(insecureRegistry('http://registry:5000'), 'registry:5000')
    assert.equal(insecureRegistry('index.docker.io'), 'docker.io')
  })

  const refused: [string, string][] = [
    ['-registry', 'invalid index name (-registry). Cannot begin or end with a hyphen'],
    ['ftp://registry', "insecure registry ftp://registry should not contain '://'"],
    ['registry:70000', 'insecure registry registry:70000 is not valid: invalid port "70000"'],
    ['regi stry', 'insecure registry regi stry is not valid: invalid host "regi stry"'],
  ]
  for (const [text, message] of refused) it(`refuses ${text}`, () => assert.throws(() => insecureRegistry(text), { message }))
})

describe('maskCredentials', () => {
  it('hides name and password of a proxy and nothing else', () => {
    assert.equal(maskCredentials('http://me:secret@proxy:3128'), 'http://xxxxx:xxxxx@proxy:3128')
    assert.equal(maskCredentials('http://proxy:3128'), 'http://proxy:3128')
    assert.equal(maskCredentials('not a url'), 'not a url')
  })
})
