import type { ImageSummary, WirePlatform } from '#api'
import { humanSize, shortId } from '#lib'
import { noteHeader } from '../terminal/note.ts'
import type { Output } from '../terminal/output.ts'
import { ellipsis } from './text.ts'

const SIZE_PRECISION = 3
const SPACING = '   '
/** Narrower than this the name is not shown beside a column. */
const MIN_NAME_COLUMNS = 12
const MIN_COLUMNS = 20
const DEFAULT_COLUMNS = 80
const LEGEND_COLUMNS = { plain: 19, fancy: 21 }

const BLUE_BOLD = '\x1b[34m\x1b[1m'
const PLAIN = '\x1b[39m'
const FAINT = '\x1b[39m\x1b[2m'
const HEADING = '\x1b[39m\x1b[1m'
const WARNING = '\x1b[93m'
const RESET = '\x1b[0m'

/** What stands behind a name or a platform. */
interface Details {
  id: string
  diskUsage: string
  contentSize: string
  inUse: boolean
}

interface Column {
  title: string
  width: number
  align: 'left' | 'right'
  value: (details: Details) => string
}

interface Node {
  details: Details
  names: readonly string[]
  children: readonly { platform: string; available: boolean; details: Details }[]
}

/** `docker images --tree`: images with their platforms, newest first. Without `all` only those with a name. `size`: of the terminal. */
export function imageTree(images: readonly ImageSummary[], output: Pick<Output, 'isTerminal' | 'size'>, options: { all: boolean }): string {
  const nodes = images
    .toSorted((a, b) => b.Created - a.Created)
    .filter((image) => options.all || image.RepoTags.length > 0)
    .map(treeNode)
  const size = output.size()?.[1] ?? 0
  const table = layout(nodes, Math.max(size === 0 ? DEFAULT_COLUMNS : size, MIN_COLUMNS))
  const paint = output.isTerminal ? (colour: string, text: string): string => `${colour}${text}${RESET}` : (_: string, text: string) => text
  const print: Printer = { ...table, paint, chips: output.isTerminal, terminalColumns: size }
  const gap = nodes.some(({ children }) => children.length > 0) ? '\n' : ''
  return [
    `${paint(WARNING, "WARNING: This is an experimental feature. The output may change and shouldn't be depended on.")}\n`,
    legend(output, size === 0 ? DEFAULT_COLUMNS : size),
    heading(table),
    ...nodes.map((node) => `${nameLines(print, node)}${childLines(print, node)}${gap}`),
  ].join('')
}

function treeNode(image: ImageSummary): Node {
  const platforms = (image.Manifests ?? []).flatMap((manifest) => {
    const { ImageData, Kind, Size, ID, Available } = manifest
    if (Kind !== 'image' || ImageData === undefined) return []
    const details = describe(ID, Size.Total, Size.Content, ImageData.Containers.length > 0)
    return [{ platform: platformText(ImageData.Platform), available: Available, details, content: Size.Content }]
  })
  const content = platforms.reduce((sum, child) => sum + child.content, 0)
  const inUse = image.Containers > 0 || platforms.some(({ details }) => details.inUse)
  return { names: image.RepoTags, details: describe(image.Id, image.Size, content, inUse), children: platforms }
}

function describe(id: string, total: number, content: number, inUse: boolean): Details {
  return { id: shortId(id), diskUsage: humanSize(total, SIZE_PRECISION), contentSize: humanSize(content, SIZE_PRECISION), inUse }
}

function platformText({ os, architecture, variant = '' }: WirePlatform): string {
  return [os, architecture, variant].filter((part) => part !== '').join('/')
}

const COLUMNS: readonly Column[] = [
  { title: 'ID', width: 12, align: 'left', value: ({ id }) => id },
  { title: 'DISK USAGE', width: 10, align: 'right', value: ({ diskUsage }) => diskUsage },
  { title: 'CONTENT SIZE', width: 12, align: 'right', value: ({ contentSize }) => contentSize },
]
const EXTRA_COLUMNS = 5

interface Table {
  nameColumns: number
  columns: readonly Column[]
  withExtra: boolean
}

/** As many columns as fit beside a name; the name's as narrow as can be. */
function layout(nodes: readonly Node[], columns: number): Table {
  let left = columns
  const widths = [...COLUMNS.map(({ width }) => width), EXTRA_COLUMNS]
  let shown = 0
  while (shown < widths.length && left - (widths[shown] ?? 0) - SPACING.length >= MIN_NAME_COLUMNS) {
    left -= (widths[shown] ?? 0) + SPACING.length
    shown++
  }
  const widest = nodes.flatMap(({ names, children }) => [...names.map((name) => name.length), ...children.map(childWidth)])
  return {
    nameColumns: Math.min(left, Math.max('IMAGE'.length, ...widest)),
    columns: COLUMNS.slice(0, shown),
    withExtra: shown === widths.length,
  }
}

/** Docker counts the bytes of the line in front, which has characters of three. */
function childWidth({ platform }: { platform: string }): number {
  return platform.length + Buffer.byteLength('└─ ')
}

function legend(output: Pick<Output, 'isTerminal'>, columns: number): string {
  const width = output.isTerminal ? LEGEND_COLUMNS.fancy : LEGEND_COLUMNS.plain
  const text = `${noteHeader(output)} ${chip(output.isTerminal)} In Use `
  return `${' '.repeat(Math.max(0, columns - width))}${text}\n\n`
}

/** The mark of an image that containers use. */
function chip(fancy: boolean): string {
  return fancy ? `\x1b[38;5;0m\x1b[48;5;14m U ${RESET}` : 'U'
}

/** In bold on every output, terminal or not, as Docker has it. */
function heading({ nameColumns, columns, withExtra }: Table): string {
  const paint = (text: string): string => `${HEADING}${text}${RESET}`
  const cells = columns.map(({ title, width, align }) => cell(title, width, align, paint))
  const extra = withExtra ? [cell('EXTRA', EXTRA_COLUMNS, 'left', paint)] : []
  return `${[cell('IMAGE', nameColumns, 'left', paint), ...cells, ...extra].join(SPACING)}\n`
}

interface Printer extends Table {
  paint: (colour: string, text: string) => string
  chips: boolean
  /** 0: no terminal. */
  terminalColumns: number
}

function nameLines(print: Printer, { names, details }: Node): string {
  const { nameColumns, terminalColumns, paint } = print
  const above = names.slice(0, -1).map((name) => `${paint(BLUE_BOLD, terminalColumns === 0 ? name : ellipsis(name, terminalColumns))}\n`)
  const last = names.at(-1)
  const name =
    last === undefined
      ? cell('<untagged>', nameColumns, 'left', (text) => paint(FAINT, text))
      : cell(last, nameColumns, 'left', (text) => paint(BLUE_BOLD, text))
  return `${above.join('')}${name}${detailCells(print, details, PLAIN)}\n`
}

function childLines(print: Printer, { children }: Node): string {
  const lines = children.map(({ platform, available, details }, index) => {
    const colour = available ? PLAIN : FAINT
    const branch = index === children.length - 1 ? '└─ ' : '├─ '
    const name = cell(`${branch}${platform}`, print.nameColumns, 'left', (text) => print.paint(colour, text))
    return `${name}${detailCells(print, details, colour)}\n`
  })
  return lines.join('')
}

function detailCells({ columns, withExtra, paint, chips }: Printer, details: Details, colour: string): string {
  const cells = columns.map(({ width, align, value }) => cell(value(details), width, align, (text) => paint(colour, text)))
  if (withExtra) {
    const mark = details.inUse ? chip(chips) : ''
    const width = details.inUse ? (chips ? ' U ' : 'U').length : 0
    cells.push(mark + ' '.repeat(EXTRA_COLUMNS - width))
  }
  return cells.map((text) => SPACING + text).join('')
}

/** Text in a column of `width`; colours do not count. */
function cell(text: string, width: number, align: 'left' | 'right', paint: (text: string) => string): string {
  const cut = ellipsis(text, width)
  const fill = ' '.repeat(width - cut.length)
  return align === 'left' ? paint(cut) + fill : fill + paint(cut)
}
