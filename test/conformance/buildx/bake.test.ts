/** `buildx bake`: several builds over one session, some of which build on others. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { must, withEachBuildx } from './buildx.ts'

const bakeFile = (directory: string): string => `
group "default" { targets = ["app", "tool"] }
target "base" { context = "${directory}/base" }
target "app" {
  context = "${directory}/app"
  contexts = { base = "target:base", files = "${directory}/files" }
  tags = ["app:bake"]
}
target "tool" {
  context = "${directory}/app"
  dockerfile-inline = "FROM starter\\nARG VERSION\\nRUN echo tool $VERSION > /tool"
  args = { VERSION = "7" }
  tags = ["tool:bake"]
}
`

withEachBuildx((buildx) => {
  test('bake builds targets that use each other, and writes metadata of each', () => {
    const { engine, project } = buildx()
    const directory = project({
      'base/Dockerfile': 'FROM starter\nCOPY x /x\nRUN cat /x\n',
      'base/x': 'from base\n',
      'app/Dockerfile': 'FROM base\nCOPY --from=files /y /y\nRUN cat /x /y\n',
      'files/y': 'from files\n',
    })
    const file = join(project({ 'docker-bake.hcl': bakeFile(directory) }), 'docker-bake.hcl')
    const metadataFile = join(directory, 'metadata.json')
    must(buildx(), ['bake', '-f', file, '--metadata-file', metadataFile, ...(buildx().isNew ? ['--allow', `fs=${engine.directory}`] : [])])
    assert.equal(engine.mustDocker('run', '--rm', 'app:bake', 'cat', '/x', '/y'), 'from base\nfrom files')
    assert.equal(engine.mustDocker('run', '--rm', 'tool:bake', 'cat', '/tool'), 'tool 7')
    const metadata = JSON.parse(readFileSync(metadataFile, 'utf8')) as Record<string, Record<string, string>>
    assert.equal(metadata['app']?.['image.name'], 'docker.io/library/app:bake')
    assert.match(metadata['tool']?.['containerimage.digest'] ?? '', /^sha256:/)
  })
})
