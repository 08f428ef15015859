/** What a build asks of the client: directories, secrets, agents, standard input. */
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { must, withEachBuildx } from './buildx.ts'
import { eventually } from '../../harness/eventually.ts'

withEachBuildx((buildx) => {
  test('secrets are there in the step, and nowhere in the image', () => {
    const { engine, project } = buildx()
    const context = project({
      Dockerfile: 'FROM starter\nRUN --mount=type=secret,id=token,required=true test "$(cat /run/secrets/token)" = s3cret\n',
      token: 's3cret',
    })
    must(buildx(), ['build', '-t', 'secret', '--secret', `id=token,src=${join(context, 'token')}`, context])
    assert.equal(engine.mustDocker('run', '--rm', 'secret', 'sh', '-c', 'cat /run/secrets/token 2>/dev/null || echo none'), 'none')
  })

  test('a secret that is required and not given is an error', () => {
    const context = buildx().project({ Dockerfile: 'FROM starter\nRUN --mount=type=secret,id=absent,required=true true\n' })
    const { status, stderr } = buildx().run(['build', context])
    assert.equal(status, 1)
    assert.match(stderr, /secret absent: not found/)
  })

  test('an SSH agent answers inside of the step', async () => {
    const context = buildx().project({ Dockerfile: 'FROM starter\nRUN --mount=type=ssh test -S "$SSH_AUTH_SOCK"\n' })
    const socket = join(context, 'agent.sock')
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
    try {
      await eventually(() => assert.ok(existsSync(socket)))
      must(buildx(), ['build', '--ssh', `default=${socket}`, context])
    } finally {
      agent.kill()
      await once(agent, 'exit')
    }
  })

  test('a Dockerfile, or a whole context, comes from standard input', () => {
    const context = buildx().project({ Dockerfile: 'FROM starter\nCOPY file /file\nRUN test "$(cat /file)" = text\n', file: 'text' })
    const progress = must(buildx(), ['build', '-'], { input: 'FROM starter\nRUN echo from standard input\n' })
    assert.match(progress, /from standard input/)
    const archive = spawnSync('tar', ['-C', context, '-c', '.']).stdout
    must(buildx(), ['build', '-'], { input: archive })
  })

  test('only what is not ignored is sent, and what has changed is sent again', () => {
    const { project } = buildx()
    const context = project({
      Dockerfile: 'FROM starter\nCOPY . /src\nRUN ls /src && cat /src/kept\n',
      '.dockerignore': '*\n!kept\n',
      kept: 'first',
      dropped: 'x',
    })
    const first = must(buildx(), ['build', context])
    assert.match(first, /\bfirst\b/)
    assert.doesNotMatch(first, /dropped/)
    assert.match(must(buildx(), ['build', context]), /CACHED/)
    spawnSync('sh', ['-c', `echo second > ${join(context, 'kept')}`])
    assert.match(must(buildx(), ['build', context]), /\bsecond\b/)
  })

  test('contexts by name stand for stages and images', () => {
    const context = buildx().project({ Dockerfile: 'FROM base\nCOPY --from=files /one /one\nRUN cat /one\n', 'files/one': 'named' })
    const contexts = ['--build-context', `files=${join(context, 'files')}`, '--build-context', 'base=docker-image://starter']
    assert.match(must(buildx(), ['build', ...contexts, context]), /named/)
  })

  test('hosts of the step, host-gateway among them', () => {
    const context = buildx().project({ Dockerfile: 'FROM starter\nRUN grep -E "one|gate" /etc/hosts\n' })
    const progress = must(buildx(), ['build', '--add-host', 'one:1.2.3.4', '--add-host', 'gate:host-gateway', context])
    assert.match(progress, /1\.2\.3\.4\s+one/)
    assert.match(progress, /\d+\.\d+\.\d+\.\d+\s+gate/)
  })
})
