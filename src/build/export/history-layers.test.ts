import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ImageHistoryEntry } from '#oci'
import { vertex } from '../graph/digest.ts'
import type { Edge, ExecOp, FileAction, Op } from '../graph/types.ts'
import { markEmptySteps } from './history-layers.ts'

const META = { name: '' }

function source(): Edge {
  const op: Op = {
    kind: 'image',
    reference: 'docker.io/library/base:1',
    platform: { os: 'linux', architecture: 'amd64' },
    resolveMode: 'local',
  }
  return { vertex: vertex(op, [], META), output: 0 }
}

function run(below: Edge, command: string): Edge {
  const mounts = [{ type: 'bind', target: '/', input: 0, selector: '', readonly: false, output: 0, contentKey: false }]
  return { vertex: vertex({ kind: 'exec', args: [command], mounts } as Partial<ExecOp> as ExecOp, [below], META), output: 0 }
}

/** A step of several actions, each on what the one before it left. */
function files(below: Edge, ...paths: string[]): Edge {
  const actions = paths.map((path, index): FileAction => ({
    action: 'mkdir',
    path,
    mode: 0o755,
    makeParents: true,
    input: index,
    output: index === paths.length - 1 ? 0 : -1,
  }))
  return { vertex: vertex({ kind: 'file', actions }, [below], META), output: 0 }
}

function merge(below: Edge, upper: Edge): Edge {
  return { vertex: vertex({ kind: 'merge' }, [below, upper], META), output: 0 }
}

/** Marks with the layers that each edge has. */
function marked(history: ImageHistoryEntry[], top: Edge, counts: ReadonlyMap<Edge, number>): string[] {
  const byId = new Map([...counts].map(([edge, count]) => [edge.vertex.id, count]))
  return markEmptySteps(history, top, (edge) => byId.get(edge.vertex.id)).map(({ created_by: by = '', empty_layer: isEmpty }) =>
    isEmpty ? `(${by})` : by,
  )
}

const entry = (by: string, isEmpty?: true): ImageHistoryEntry => ({ created_by: by, ...(isEmpty && { empty_layer: true }) })

describe('markEmptySteps', () => {
  it('marks the steps that left nothing', () => {
    const made = run(source(), 'make')
    const looked = run(made, 'true')
    const top = files(looked, '/a', '/b')
    const history = [entry('base'), entry('RUN make'), entry('ENV', true), entry('RUN true'), entry('WORKDIR')]
    assert.deepEqual(
      marked(
        history,
        top,
        new Map([
          [made, 2],
          [looked, 2],
          [top, 3],
        ]),
      ),
      ['base', 'RUN make', '(ENV)', '(RUN true)', 'WORKDIR'],
    )
  })

  it('knows the lowest step by the base image’s entries', () => {
    const top = run(source(), 'true')
    assert.deepEqual(marked([entry('one'), entry('two'), entry('RUN true')], top, new Map([[top, 2]])), ['one', 'two', '(RUN true)'])
  })

  it('goes through merges along what is below', () => {
    const below = run(source(), 'make')
    const top = merge(below, files(source(), '/c'))
    assert.deepEqual(
      marked(
        [entry('base'), entry('RUN'), entry('COPY --link')],
        top,
        new Map([
          [below, 2],
          [top, 3],
        ]),
      ),
      ['base', 'RUN', 'COPY --link'],
    )
  })

  it('leaves a history alone that has fewer entries than there are steps', () => {
    const top = run(run(source(), 'a'), 'b')
    assert.deepEqual(marked([entry('only')], top, new Map([[top, 1]])), ['only'])
  })

  it('takes a step for one with a layer when nothing is known of it', () => {
    const top = run(source(), 'make')
    assert.deepEqual(marked([entry('base'), entry('RUN')], top, new Map()), ['base', 'RUN'])
  })
})
