import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { detectSyntax, DirectiveReader } from './directives.ts'

describe('DirectiveReader', () => {
  it('reads until a line is no directive', () => {
    const reader = new DirectiveReader()
    assert.equal(reader.read('# Syntax = docker/dockerfile:1 ', 1)?.value, 'docker/dockerfile:1')
    assert.equal(reader.read('# a comment', 2), undefined)
    assert.equal(reader.read('# escape=`', 3), undefined)
    assert.deepEqual(
      reader.directives.map(({ name }) => name),
      ['syntax'],
    )
  })
  it('refuses a repeated directive', () => {
    const reader = new DirectiveReader()
    reader.read('#escape=\\', 1)
    assert.throws(() => reader.read('# ESCAPE=`', 2), { message: 'only one escape parser directive can be used' })
  })
})

describe('detectSyntax', () => {
  const TABLE: readonly (readonly [text: string, reference: string | undefined, line?: number])[] = [
    ['# syntax=a/b:1\nFROM x', 'a/b:1', 1],
    ['\uFEFF#syntax = a/b options here\r\n', 'a/b', 1],
    ['#!/usr/bin/env docker\n# syntax=a', 'a', 2],
    ['# escape=`\n# syntax=a', 'a', 2],
    ['// syntax=a\n', 'a', 1],
    ['{ "syntax": "a", "more": [] }', 'a', 1],
    ['FROM x\n# syntax=a', undefined],
    ['# comment\n# syntax=a', undefined],
    ['{ "syntax": 1 }', undefined],
    ['{ "syntax"', undefined],
    ['', undefined],
  ]
  for (const [text, reference, line] of TABLE) {
    it(`finds ${reference} in ${JSON.stringify(text)}`, () => {
      const found = detectSyntax(text)
      assert.equal(found?.reference, reference)
      assert.equal(found?.line, line)
    })
  }
  it('keeps what stands behind the reference', () => assert.equal(detectSyntax('# syntax=a b c')?.value, 'a b c'))
})
