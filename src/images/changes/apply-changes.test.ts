import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ImageProcessConfig } from '#oci'
import { applyChanges } from './apply-changes.ts'

describe('applyChanges', () => {
  const CASES: [change: string, expected: ImageProcessConfig][] = [
    ['CMD ["a", "b c"]', { Cmd: ['a', 'b c'] }],
    ['cmd echo "hi"', { Cmd: ['/bin/sh', '-c', 'echo "hi"'] }],
    ['CMD [not json', { Cmd: ['/bin/sh', '-c', '[not json'] }],
    ['ENTRYPOINT ["/init"]', { Entrypoint: ['/init'] }],
    ['ENV A=1 B="two words" C=three\\ words', { Env: ['A=1', 'B=two words', 'C=three words'] }],
    ['ENV A the rest of "it"', { Env: ['A=the rest of it'] }],
    ["LABEL a=b 'c d'=e", { Labels: { a: 'b', 'c d': 'e' } }],
    ['LABEL a="line \\\n goes on"', { Labels: { a: 'line  goes on' } }],
    ['EXPOSE 80 443/udp 8000-8002/tcp', { ExposedPorts: { '80/tcp': {}, '443/udp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } }],
    ['USER 1000:1000', { User: '1000:1000' }],
    ['VOLUME ["/data", "/with space"]', { Volumes: { '/data': {}, '/with space': {} } }],
    ['VOLUME /a /b', { Volumes: { '/a': {}, '/b': {} } }],
    ['WORKDIR /srv/../app', { WorkingDir: '/app' }],
    ['WORKDIR relative', { WorkingDir: '/relative' }],
    ['STOPSIGNAL SIGQUIT', { StopSignal: 'SIGQUIT' }],
    ['ONBUILD RUN make', { OnBuild: ['RUN make'] }],
    ['HEALTHCHECK NONE', { Healthcheck: { Test: ['NONE'] } }],
    [
      'HEALTHCHECK --interval=5s --retries=2 CMD curl -f x',
      { Healthcheck: { Interval: 5e9, Retries: 2, Test: ['CMD-SHELL', 'curl -f x'] } },
    ],
    ['HEALTHCHECK CMD ["true"]', { Healthcheck: { Test: ['CMD', 'true'] } }],
    ['ENV A=1\nLABEL a=$A', { Env: ['A=1'], Labels: { a: '1' } }],
    ['LABEL __proto__=a', { Labels: JSON.parse('{"__proto__":"a"}') as Record<string, string> }],
    ['# a comment', {}],
    ['', {}],
  ]
  for (const [change, expected] of CASES) {
    it(`carries out ${JSON.stringify(change)}`, () => assert.deepEqual(applyChanges({}, [change]), expected))
  }

  it('adds to what is there and replaces variables', () => {
    const before: ImageProcessConfig = { Env: ['PATH=/bin', 'HOME=/root'], Labels: { a: '1' }, WorkingDir: '/srv' }
    const after = applyChanges(before, [
      'ENV PATH=/opt:$PATH',
      'ENV EMPTY=${NONE:-default}',
      'LABEL b=$HOME',
      'WORKDIR sub',
      "LABEL raw='$HOME'",
    ])
    assert.deepEqual(after, {
      Env: ['PATH=/opt:/bin', 'HOME=/root', 'EMPTY=default'],
      Labels: { a: '1', b: '/root', raw: '$HOME' },
      WorkingDir: '/srv/sub',
    })
    assert.deepEqual(before.Env, ['PATH=/bin', 'HOME=/root'], 'the given config is not changed')
  })

  it('lets ENTRYPOINT take the old command away, but not one that was given with it', () => {
    const before: ImageProcessConfig = { Entrypoint: ['/old'], Cmd: ['serve'] }
    assert.deepEqual(applyChanges(before, ['ENTRYPOINT ["/new"]']), { Entrypoint: ['/new'] })
    assert.deepEqual(applyChanges(before, ['CMD ["run"]', 'ENTRYPOINT ["/new"]']), { Entrypoint: ['/new'], Cmd: ['run'] })
    assert.deepEqual(applyChanges(before, ['ENTRYPOINT []']), { Entrypoint: [], Cmd: ['serve'] })
  })

  it('uses the shell of the image, and the escape character that the first change chooses', () => {
    assert.deepEqual(applyChanges({ Shell: ['/bin/ash', '-c'] }, ['# escape=`', 'CMD a \\', 'ENV A=b` c']), {
      Shell: ['/bin/ash', '-c'],
      Cmd: ['/bin/ash', '-c', 'a \\'],
      Env: ['A=b c'],
    })
  })

  it('refuses changes that are too much work', () => {
    const changes = Array.from({ length: 100 }, () => 'EXPOSE 1-65535')
    assert.throws(() => applyChanges({}, changes), { code: 'INVALID_ARGUMENT', message: 'the Dockerfile takes too much work to be read' })
  })

  const REFUSED: [change: string, message: string | RegExp][] = [
    ['RUN --mount=x x', 'run is not a valid change command'],
    ['FOO x', 'foo is not a valid change command'],
    ['__proto__ x', '__proto__ is not a valid change command'],
    ['FROM x', 'from is not a valid change command'],
    ['CMD', 'CMD requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', /can't find = in "B"/],
    ['ENV =1', 'ENV names can not be blank'],
    ['LABEL a="open', /matching double-quote/],
    ['LABEL a=${open', /failed to process "\$\{open": syntax error: missing '}'/],
    ['LABEL a=${b?c}', 'failed to process "${b?c}": b: c'],
    ['LABEL a=${b!c}', /unsupported modifier \(!\) in substitution/],
    ['EXPOSE 99999', 'invalid containerPort: 99999'],
    ['EXPOSE 80-70', 'invalid containerPort: 80-70'],
    ['USER', 'USER requires exactly one argument'],
    ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['STOPSIGNAL FOO', 'invalid signal: FOO'],
    ['WORKDIR $NONE', 'cannot normalize nothing'],
    ['ONBUILD ONBUILD RUN x', /ONBUILD ONBUILD/],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['HEALTHCHECK x', 'Unknown type "X" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1us CMD x', /cannot be less than 1ms/],
    ['HEALTHCHECK --interval=x CMD x', /time: invalid duration "x"/],
    ['HEALTHCHECK --unknown=1 CMD x', 'unknown flag: --unknown'],
  ]
  for (const [change, message] of REFUSED) {
    it(`refuses ${JSON.stringify(change)}`, () => assert.throws(() => applyChanges({}, [change]), { code: 'INVALID_ARGUMENT', message }))
  }
})
