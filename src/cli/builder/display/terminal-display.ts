import type { BuildUpdate } from '#client'
import type { Output } from '../../terminal/output.ts'
import { BuildView, elapsed, isCancelled, type StepView } from './build-view.ts'
import type { BuildDisplay } from './display.ts'
import { failureText, warningsText } from './final-text.ts'
import { amount, seconds } from './status-text.ts'

/** Milliseconds between two frames. */
const FRAME = 100
/** Last lines of each running step that are shown below it. */
const LOG_LINES = 6
const DEFAULT_SIZE: [number, number] = [24, 80]

const BLUE = '\u001B[34m'
const RED = '\u001B[31m'
const FAINT = '\u001B[2m'
const PLAIN = '\u001B[0m'
const ERASE_BELOW = '\u001B[0J'

/** One line of a frame: `text` is cut at the terminal's width, `right` stands at its edge. */
interface FrameLine {
  text: string
  right: string
  style: string
}

/** Steps, timers, bytes and the last lines of what runs, drawn anew in place ten times a second. `now` is for tests. */
export function createTerminalDisplay(
  output: Output,
  options: { title: string; colors: boolean; now?: () => number } = { title: 'Building', colors: true },
): BuildDisplay {
  const { title, colors, now = Date.now } = options
  const view = new BuildView()
  const began = now()
  let drawn = 0
  const timer = setInterval(() => draw(false), FRAME)

  function draw(isLast: boolean): void {
    const [rows, columns] = output.size() ?? DEFAULT_SIZE
    const lines = frame(isLast, rows)
    const head = `[+] ${title} ${seconds(now() - began)} (${view.finished}/${view.steps.length})${isLast ? ' FINISHED' : ''}`
    const text = [
      paint(fit({ text: head, right: '', style: '' }, columns), isLast ? BLUE : ''),
      ...lines.map((line) => paint(fit(line, columns), line.style)),
    ]
    const up = drawn > 0 ? `\u001B[${drawn}A` : ''
    output.write(`${up}\r${ERASE_BELOW}${text.join('\n')}\n`)
    drawn = text.length
  }

  function paint(text: string, style: string): string {
    return style === '' || !colors ? text : `${style}${text}${PLAIN}`
  }

  /** All steps at the end; before it as many as fit: finished ones give way first, then waiting ones are not shown at all. */
  function frame(isLast: boolean, rows: number): FrameLine[] {
    const begun = view.steps.filter(({ started }) => started !== undefined)
    if (isLast) return begun.flatMap((step) => stepLines(step, false))
    const running = begun.filter(({ completed }) => completed === undefined)
    const room = Math.max(3, rows - 3)
    const logs = running.length === 0 ? 0 : Math.max(0, Math.min(LOG_LINES, Math.floor((room - running.length) / running.length) - 1))
    const blocks = begun.map((step) => stepLines(step, true, logs))
    // The last ones are those that go on.
    const lines = blocks.flat()
    return lines.length <= room ? lines : keepRunning(begun, blocks, room)
  }

  function keepRunning(steps: readonly StepView[], blocks: readonly FrameLine[][], room: number): FrameLine[] {
    let spare = room - blocks.filter((_, index) => steps[index]?.completed === undefined).flat().length
    const kept = new Set<FrameLine[]>()
    for (const [index, block] of [...blocks.entries()].reverse()) {
      const isRunning = steps[index]?.completed === undefined
      if (!isRunning && block.length > spare) continue
      if (!isRunning) spare -= block.length
      kept.add(block)
    }
    return blocks
      .filter((block) => kept.has(block))
      .flat()
      .slice(-room)
  }

  function stepLines(step: StepView, withLogs: boolean, logLines = 0): FrameLine[] {
    const style = step.error !== '' ? RED : step.completed === undefined ? '' : BLUE
    const word = step.error === '' ? (step.cached ? 'CACHED ' : '') : isCancelled(step) ? 'CANCELED ' : 'ERROR '
    const lines: FrameLine[] = [{ text: ` => ${word}${step.name}`, right: seconds(elapsed(step, now())), style }]
    for (const status of step.statuses.values()) {
      const count = amount(status)
      const name = status.name === '' ? status.id : status.name
      const took = status.started === undefined ? 0 : (status.completed ?? now()) - status.started
      lines.push({ text: ` => => ${name}${count === '' ? '' : ` ${count}`}`, right: seconds(took), style })
    }
    if (withLogs && step.completed === undefined && logLines > 0) {
      for (const { text } of step.lines.slice(-logLines)) lines.push({ text: ` => => # ${text}`, right: '', style: FAINT })
    }
    return lines
  }

  return {
    update(update: BuildUpdate) {
      view.apply(update)
    },
    end(failed) {
      clearInterval(timer)
      draw(true)
      if (failed) output.write(failureText(view))
      output.write(warningsText(view))
    },
  }
}

function fit({ text: written, right }: FrameLine, columns: number): string {
  const text = printable(written)
  const width = Math.max(1, columns - 1)
  if (right === '') return cut(text, width)
  const left = width - right.length - 1
  return left < 1 ? cut(text, width) : `${cut(text, left).padEnd(left)} ${right}`
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : text.slice(0, width)
}

/** Output of programs, and names of steps, may move the cursor about: only what is visible is shown. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text
    .replace(/\u001B\[[0-9;?]*[ -/]*[@-~]|\u001B\][^\u0007]*\u0007?/g, '')
    .replace(/\t/g, '  ')
    .replace(/[\u0000-\u001F\u007F]/g, '')
}
