import type { BuildView } from './build-view.ts'
import { isCancelled } from './build-view.ts'
import { seconds } from './status-text.ts'

/** Lines of a failed step's output that are shown again at the end. */
const LAST_LINES = 20
const RULE = '------'
/** The end of a lint rule's text. */
const LINE = / \(line \d+\)$/

/** The end of what the failed steps have written, below their names; empty when no step failed. */
export function failureText(view: BuildView): string {
  return view.steps
    .filter((step) => step.error !== '' && !isCancelled(step))
    .map((step) => {
      const lines = step.lines
        .slice(-LAST_LINES)
        .map(({ text, timestamp }) => `${seconds(timestamp - (step.started ?? timestamp)).slice(0, -1)} ${text}\n`)
      return `${RULE}\n > ${step.name}:\n${lines.join('')}${RULE}\n`
    })
    .join('')
}

/** What the frontend has warned of, and where, if it does not say so itself: lint rules do. */
export function warningsText(view: BuildView): string {
  const { warnings } = view
  if (warnings.length === 0) return ''
  const head = `\n ${warnings.length} ${warnings.length === 1 ? 'warning' : 'warnings'} found:\n`
  return head + warnings.map(({ short, place }) => ` - ${short}${place === '' || LINE.test(short) ? '' : ` (${place})`}\n`).join('')
}
