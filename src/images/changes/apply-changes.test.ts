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
    ['VOLUME /data "/with space"', { Volumes: { '/data': {}, '/with space': {} } }],
    ['VOLUME ["/a", "/b"]', { Volumes: { '/a': {}, '/b': {} } }],
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

  const REFUSED: [change: string, message: string | RegExp][] = [
    ['RUN x', 'run is not a valid change command'],
    ['FROM x', 'from is not a valid change command'],
    ['CMD', 'CMD requires at least one argument'],
    ['ENV A', 'ENV must have two arguments'],
    ['ENV A=1 B', /can't find = in "B"/],
    ['ENV =1', 'ENV names can not be blank'],
    ['LABEL a="open', /matching double-quote/],
    ['LABEL a=${open', /missing closing brace/],
    ['LABEL a=${b?c}', /unsupported modifier/],
    ['EXPOSE 99999', 'invalid containerPort: 99999'],
    ['EXPOSE 80-70', 'invalid containerPort: 80-70'],
    ['USER a b', 'USER requires exactly one argument'],
    ['VOLUME [""]', 'VOLUME specified can not be an empty string'],
    ['ONBUILD ONBUILD RUN x', /ONBUILD ONBUILD/],
    ['ONBUILD FROM x', "FROM isn't allowed as an ONBUILD trigger"],
    ['HEALTHCHECK x', /Unknown type "x" in HEALTHCHECK/],
    ['HEALTHCHECK CMD', 'Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1us CMD x', /cannot be less than 1ms/],
    ['HEALTHCHECK --interval=x CMD x', /time: invalid duration "x"/],
    ['HEALTHCHECK --unknown=1 CMD x', 'unknown flag: --unknown'],
  ]
  for (const [change, message] of REFUSED) {
    it(`refuses ${JSON.stringify(change)}`, () => assert.throws(() => applyChanges({}, [change]), { code: 'INVALID_ARGUMENT', message }))
  }
})
