/** What is asked of the builder itself: what it is, what it keeps, what a Dockerfile has to say. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { must, withEachBuildx } from './buildx.ts'

withEachBuildx((buildx) => {
  test('inspect and ls tell version and platforms', () => {
    const told = must(buildx(), ['inspect'])
    assert.match(told, /Driver: +docker/)
    assert.match(told, /BuildKit(?: version)?: +v[\d.]+-moby/)
    assert.match(told, /Platforms: +linux\/amd64/)
    assert.match(must(buildx(), ['ls']), /default.*running/)
  })

  test('a second build is cached, du lists what it used, prune deletes it', () => {
    const context = buildx().project({ Dockerfile: 'FROM starter\nRUN echo kept > /kept\n' })
    must(buildx(), ['build', context])
    assert.match(must(buildx(), ['build', context]), /\[2\/2\] RUN echo kept > \/kept\n#\d+ CACHED/)
    assert.match(must(buildx(), ['build', '--no-cache', context]), /#\d+ \[2\/2\] RUN echo kept > \/kept\n#\d+ DONE/)
    assert.match(must(buildx(), ['du', '--verbose']), /Description:\s+mount \/ from exec \/bin\/sh -c echo kept > \/kept/)
    const regular = must(buildx(), ['du', '--verbose', '--filter', 'type=regular'])
    assert.match(regular, /Type:\s+regular/)
    assert.doesNotMatch(regular, /Type:\s+source\.local/)
    assert.match(must(buildx(), ['prune', '--force', '--all']), /Total:/)
    assert.doesNotMatch(must(buildx(), ['build', context]), /RUN echo kept > \/kept\n#\d+ CACHED/)
  })

  test('--check lints, --call outlines, history lists', (context) => {
    if (!buildx().isNew) return context.skip('came with later versions')
    const directory = buildx().project({ Dockerfile: 'from starter AS one\nARG WHO=world\nRUN echo $WHO\nFROM one AS two\n' })
    const checked = buildx().run(['build', '--check', directory])
    assert.match(checked.stdout + checked.stderr, /ConsistentInstructionCasing/)
    assert.match(must(buildx(), ['build', '--call', 'outline', '--target', 'one', directory]), /WHO +world/)
    assert.match(must(buildx(), ['build', '--call', 'targets', directory]), /two \(default\)/)
    must(buildx(), ['build', directory])
    assert.match(must(buildx(), ['history', 'ls']), /Completed/)
    assert.match(must(buildx(), ['history', 'inspect']), /https:\/\/slsa\.dev\/provenance\/v0\.2/)
    assert.match(must(buildx(), ['history', 'logs', '--progress', 'plain']), /RUN echo world/)
    must(buildx(), ['history', 'rm', '--all'])
    assert.doesNotMatch(must(buildx(), ['history', 'ls']), /Completed/)
  })
})
