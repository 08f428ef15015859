import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DockerfileError } from './dockerfile-error.ts'
import { parseDockerfile, parseInstruction } from './parse-dockerfile.ts'

describe('parseDockerfile', () => {
  it('groups instructions in stages', () => {
    const { globalArgs, stages } = parseDockerfile('ARG V=1 W\nFROM a:$V AS One\nRUN x\nFROM one\nCMD y')
    assert.deepEqual(
      globalArgs[0]?.args.map(({ name, value }) => [name, value]),
      [
        ['V', '1'],
        ['W', undefined],
      ],
    )
    assert.deepEqual(
      stages.map(({ index, from, instructions }) => [index, from.image, from.name, instructions.map(({ kind }) => kind)]),
      [
        [0, 'a:$V', 'one', ['run']],
        [1, 'one', undefined, ['cmd']],
      ],
    )
  })

  /** Instructions of a stage that begins in line 1. */
  const ERRORS: readonly (readonly [instruction: string, message: string])[] = [
    ['FOO x', 'dockerfile parse error on line 2: unknown instruction: FOO (did you mean FROM?)'],
    ['INCLUDE x', 'dockerfile parse error on line 2: unknown instruction: INCLUDE'],
    ['RNU x', 'dockerfile parse error on line 2: unknown instruction: RNU (did you mean RUN?)'],
    ['entrypint x', 'dockerfile parse error on line 2: unknown instruction: entrypint (did you mean entrypoint?)'],
    ['FROM', 'dockerfile parse error on line 2: FROM requires either one or three arguments'],
    ['FROM a b', 'dockerfile parse error on line 2: FROM requires either one or three arguments'],
    [
      'FROM a AS 1b',
      'dockerfile parse error on line 2: invalid name for build stage: "1b", name can\'t start with a number or contain symbols',
    ],
    ['FROM --plattform=x a', 'dockerfile parse error on line 2: unknown flag: --plattform (did you mean platform?)'],
    [
      'COPY a',
      'dockerfile parse error on line 2: COPY requires at least two arguments, but only one was provided. Destination could not be determined',
    ],
    [
      'ADD',
      'dockerfile parse error on line 2: ADD requires at least two arguments, but only one was provided. Destination could not be determined',
    ],
    ['COPY --form=a b c', 'dockerfile parse error on line 2: unknown flag: --form (did you mean from?)'],
    ['COPY --from a b', 'dockerfile parse error on line 2: missing a value on flag: --from'],
    ['COPY --link=x a b', 'dockerfile parse error on line 2: expecting boolean value for flag --link, not: x'],
    ['COPY --link= a b', 'dockerfile parse error on line 2: missing a value on flag: --link'],
    ['COPY --from=a --from=b c d', 'dockerfile parse error on line 2: duplicate flag specified: --from'],
    ['COPY a <<E\nE', 'dockerfile parse error on line 2: COPY cannot accept a heredoc as a destination'],
    ['ENV', 'dockerfile parse error on line 2: ENV requires at least one argument'],
    ['ENV a', 'ENV must have two arguments'],
    ['ENV a=b c', 'Syntax error - can\'t find = in "c". Must be of the form: name=value'],
    ['ENV =b', 'dockerfile parse error on line 2: ENV names can not be blank'],
    ['LABEL a', 'LABEL must have two arguments'],
    ['ARG', 'dockerfile parse error on line 2: ARG requires at least one argument'],
    ['ARG =x', 'dockerfile parse error on line 2: ARG names can not be blank'],
    ['CMD ["a", 1]', 'when using JSON array syntax, arrays must be comprised of strings only'],
    ['RUN --network=bridge x', 'dockerfile parse error on line 2: invalid network mode "bridge"'],
    ['RUN --security=no x', 'dockerfile parse error on line 2: security "no" is not valid'],
    [
      'RUN --mount=type=bind,from=$x y',
      "dockerfile parse error on line 2: 'from' doesn't support variable expansion, define alias stage instead",
    ],
    ['SHELL sh -c', 'dockerfile parse error on line 2: SHELL requires the arguments to be in JSON form'],
    ['SHELL []', 'dockerfile parse error on line 2: SHELL requires at least one argument'],
    ['HEALTHCHECK', 'dockerfile parse error on line 2: HEALTHCHECK requires at least one argument'],
    ['HEALTHCHECK NONE x', 'dockerfile parse error on line 2: HEALTHCHECK NONE takes no arguments'],
    ['HEALTHCHECK RUN x', 'dockerfile parse error on line 2: Unknown type "RUN" in HEALTHCHECK (try CMD)'],
    ['HEALTHCHECK CMD', 'dockerfile parse error on line 2: Missing command after HEALTHCHECK CMD'],
    ['HEALTHCHECK --interval=1us CMD x', 'dockerfile parse error on line 2: Interval "interval" cannot be less than 1ms'],
    ['HEALTHCHECK --timeout=5 CMD x', 'dockerfile parse error on line 2: time: missing unit in duration "5"'],
    ['HEALTHCHECK --retries=-1 CMD x', 'dockerfile parse error on line 2: --retries cannot be negative (-1)'],
    ['HEALTHCHECK --retries=x CMD x', 'dockerfile parse error on line 2: strconv.ParseInt: parsing "x": invalid syntax'],
    ['EXPOSE', 'dockerfile parse error on line 2: EXPOSE requires at least one argument'],
    ['VOLUME', 'dockerfile parse error on line 2: VOLUME requires at least one argument'],
    ['VOLUME [""]', 'dockerfile parse error on line 2: VOLUME specified can not be an empty string'],
    ['WORKDIR', 'dockerfile parse error on line 2: WORKDIR requires exactly one argument'],
    ['USER', 'dockerfile parse error on line 2: USER requires exactly one argument'],
    ['STOPSIGNAL', 'dockerfile parse error on line 2: STOPSIGNAL requires exactly one argument'],
    ['MAINTAINER', 'dockerfile parse error on line 2: MAINTAINER requires exactly one argument'],
    ['ONBUILD', 'dockerfile parse error on line 2: ONBUILD requires at least one argument'],
    ['ONBUILD ONBUILD RUN x', "dockerfile parse error on line 2: Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ['ONBUILD from a', "dockerfile parse error on line 2: FROM isn't allowed as an ONBUILD trigger"],
    ['__proto__ x', 'dockerfile parse error on line 2: unknown instruction: __proto__'],
  ]
  for (const [instruction, message] of ERRORS) {
    it(`refuses ${instruction.split('\n')[0]}`, () => {
      assert.throws(
        () => parseDockerfile(`FROM scratch\n${instruction}\n`),
        (error) => error instanceof DockerfileError && error.message === message && error.range?.start.line === 2,
        message,
      )
    })
  }

  it('refuses a file without stages', () => {
    assert.throws(() => parseDockerfile(''), { message: 'the Dockerfile cannot be empty' })
    assert.throws(() => parseDockerfile('# nothing\n'), { message: 'file with no instructions' })
    assert.throws(() => parseDockerfile('ARG a\n'), { message: 'dockerfile contains no stages to build' })
    assert.throws(() => parseDockerfile('RUN x\nFROM a'), { message: 'no build stage in current context' })
  })

  it('reads heredocs of copies by name', () => {
    const [copy] = parseDockerfile('FROM a\nCOPY <<A b << "C" /d/\n1\nA\n2\nC').stages[0]?.instructions ?? []
    assert.ok(copy?.kind === 'copy')
    assert.deepEqual(copy.sources, ['b'])
    assert.deepEqual(
      copy.heredocs.map(({ name, expand, content }) => [name, expand, content]),
      [
        ['A', true, '1\n'],
        ['C', false, '2\n'],
      ],
    )
  })
})

describe('parseInstruction', () => {
  it('reads a trigger with its heredoc', () => {
    const [onbuild] = parseDockerfile('FROM a\nonbuild COPY --link <<E /x\n1\nE').stages[0]?.instructions ?? []
    assert.ok(onbuild?.kind === 'onbuild')
    assert.equal(onbuild.trigger, 'COPY --link <<E /x\n1\nE')
    const copy = parseInstruction(onbuild.trigger)
    assert.ok(copy.kind === 'copy')
    assert.equal(copy.link, true)
    assert.equal(copy.heredocs[0]?.content, '1\n')
  })
  it('says what is wrong without a line: there is only one', () => {
    assert.throws(() => parseInstruction('WORKDIR'), {
      message: 'WORKDIR requires exactly one argument',
      range: { start: { line: 1, column: 1 }, end: { line: 1, column: 8 } },
    })
    assert.throws(() => parseInstruction('ENV A'), { message: 'ENV must have two arguments' })
  })
  it('refuses what is not one instruction', () => {
    assert.throws(() => parseInstruction(''), /file with no instructions/)
    assert.throws(() => parseInstruction('RUN a\nRUN b'), /single expression/)
    assert.throws(() => parseInstruction('FROM a'), /FROM isn't allowed/)
  })
})
