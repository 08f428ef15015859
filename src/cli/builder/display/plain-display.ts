import type { BuildUpdate } from '#client'
import type { Output } from '../../terminal/output.ts'
import { BuildView, elapsed, isCancelled, type StepView } from './build-view.ts'
import type { BuildDisplay } from './display.ts'
import { failureText, warningsText } from './final-text.ts'
import { seconds, statusText } from './status-text.ts'

/** Milliseconds between two lines about the same transfer. */
const STATUS_INTERVAL = 5000

/**
 * Lines for pipes and logs, as BuildKit prints them: each begins with the number of its step.
 *
 * ```
 * #5 [2/3] RUN make
 * #5 0.214 cc -o app app.c
 * #5 DONE 0.5s
 * ```
 */
export function createPlainDisplay(output: Output): BuildDisplay {
  const view = new BuildView()
  const shownAt = new Map<string, number>()
  const closed = new Set<StepView>()
  /** Numbers are given when a step is first shown, so that they count without gaps. */
  const numbers = new Map<StepView, number>()
  let current: StepView | undefined

  function print(step: StepView, text: string): void {
    output.write(`#${numbers.get(step)} ${text}\n`)
  }

  /** Makes `step` the one whose lines come next. */
  function turnTo(step: StepView): void {
    if (current === step) return
    if (current !== undefined) {
      if (!closed.has(current)) print(current, '...')
      output.write('\n')
    }
    current = step
    if (!numbers.has(step)) numbers.set(step, numbers.size + 1)
    print(step, step.name)
  }

  function close(step: StepView): void {
    if (step.completed === undefined || closed.has(step)) return
    turnTo(step)
    closed.add(step)
    if (isCancelled(step)) print(step, 'CANCELED')
    else if (step.error !== '') print(step, `ERROR: ${step.error}`)
    else if (step.cached) print(step, 'CACHED')
    else print(step, `DONE ${seconds(elapsed(step, step.completed))}`)
  }

  return {
    update(update: BuildUpdate) {
      const { steps, statuses, lines } = view.apply(update)
      const news = new Set<StepView>([...[...steps].filter(({ started }) => started !== undefined), ...lines.map(({ step }) => step)])
      for (const { step } of statuses) if (step.started !== undefined) news.add(step)
      // The step whose turn it is goes first: lines of one step stay together.
      const order = [...news].sort((a, b) => Number(b === current) - Number(a === current) || a.number - b.number)
      for (const step of order) {
        // A vertex that is started again has been closed too early.
        if (step.completed === undefined) closed.delete(step)
        turnTo(step)
        for (const { status } of statuses.filter((entry) => entry.step === step)) {
          const key = `${step.digest} ${status.id}`
          const last = shownAt.get(key)
          const now = Date.now()
          if (status.completed === undefined && last !== undefined && now - last < STATUS_INTERVAL) continue
          shownAt.set(key, now)
          const took = status.completed === undefined ? '' : ` ${timeTaken(status.started, status.completed)}done`
          print(step, `${statusText(status)}${took}`)
        }
        for (const { line } of lines.filter((entry) => entry.step === step)) {
          print(step, `${((line.timestamp - (step.started ?? line.timestamp)) / 1000).toFixed(3)} ${line.text}`)
        }
        close(step)
      }
    },
    end(failed) {
      for (const step of view.steps) if (step.started !== undefined) close(step)
      if (failed) output.write(failureText(view))
      output.write(warningsText(view))
    },
  }
}

function timeTaken(started: number | undefined, completed: number): string {
  return started === undefined || completed - started < 100 ? '' : `${seconds(completed - started)} `
}
