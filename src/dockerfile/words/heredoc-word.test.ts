import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { chomp, heredocWords, parseHeredocWord } from './heredoc-word.ts'

describe('parseHeredocWord', () => {
  it('reads name, dash, quotes and descriptor', () => {
    assert.deepEqual(parseHeredocWord('<<EOF'), { name: 'EOF', chomp: false, expand: true, descriptor: 0 })
    assert.deepEqual(parseHeredocWord('3<<-"E F"'), { name: 'E F', chomp: true, expand: false, descriptor: 3 })
    assert.deepEqual(parseHeredocWord("<<E'O'F"), { name: 'EOF', chomp: false, expand: false, descriptor: 0 })
    assert.deepEqual(parseHeredocWord('<< EOF'), { name: 'EOF', chomp: false, expand: true, descriptor: 0 })
    assert.deepEqual(parseHeredocWord('<<$EOF'), { name: '$EOF', chomp: false, expand: true, descriptor: 0 })
  })
  it('is undefined for other words', () => {
    for (const word of ['<<', '<EOF', '<<<EOF', 'a<<EOF', '<<"', '<<a b']) assert.equal(parseHeredocWord(word), undefined, word)
  })
})

describe('heredocWords', () => {
  const names = (line: string): string[] => heredocWords(line).map(({ name }) => name)

  it('finds several in a line', () => assert.deepEqual(names('RUN <<A cat <<-B && << C'), ['A', 'B', 'C']))
  it('takes none from quotes', () => assert.deepEqual(names('RUN echo "<<A" \'<<B\''), []))
  it('takes none when a quote is open', () => assert.deepEqual(names("RUN echo it's <<A"), []))
  it('takes none from here-strings', () => assert.deepEqual(names('RUN cat <<<text'), []))
})

describe('chomp', () => {
  it('drops tabs in front of lines, not blanks', () => assert.equal(chomp('\t\ta\n \tb\n\t\n'), 'a\n \tb\n\n'))
})
