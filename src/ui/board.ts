// Rules of this file:
// - it is pure: what is known, the time and the size of a terminal become lines;
// - no line is wider than the columns, and there are no more than the rows: what matters least goes first.
import { formatDuration } from '../duration.ts'
import type { BoardState, BoardStep } from './board-state.ts'
import { commandRow, leftOf, overlapRows, waitRow, type Row } from './board-rows.ts'
import type { Paint } from './paint.ts'
import { paragraph } from './wrapping.ts'

export interface View {
  now: number
  columns: number
  rows: number
  paint: Paint
  /** Whether the terminal has more than ASCII. */
  unicode: boolean
  /** The commands that go on with it later and that undo it, once its id is known. */
  resume: string | undefined
  abort: string | undefined
}

export type Mark = 'done' | 'failed' | 'left'

const marks = {
  unicode: { done: '✓', failed: '✗', left: '■', pending: '·', spinner: [...'⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'] },
  ascii: { done: '+', failed: 'x', left: '-', pending: '.', spinner: [...'|/-\\'] },
}
const turnMs = 100
/** The mark, a blank, the longest name of a step and two blanks. */
const indent = 11
/** Longer lines are hard to read, and only get in the way when the terminal gets narrower. */
const widest = 100
/** Of many places, these are named. */
const mostNamed = 6

const order: readonly BoardStep[] = [
  'plan',
  'mint',
  'accept',
  'deliver',
  'verify',
  'overlap',
  'retire',
  'finish',
]

/** What goes on now, and what is waited for. */
export function board(state: BoardState, view: View): string[] {
  const { step } = state
  if (step === undefined) return []
  const { paint } = view
  const { spinner } = marksOf(view)
  const turn = spinner[Math.floor(view.now / turnMs) % spinner.length] ?? ''
  const rows = [...rowsOf(state, view), ...waitRow(state, view.now), ...thenRow(step.name)]
  const head = stepBeginning(paint.cyan(turn), paint.bold(step.name), step.name)
  const blocks = [
    { lines: block(head, `${present(state, view)} ${tookOf(step, view)}`, view), weight: 0 },
    ...rows.map((row) => ({ lines: block(beginning(row, view), row.text, view), weight: row.weight })),
  ]
  return fitted(blocks, view.rows)
}

/** The line that stays of the step that is over. */
export function finished(state: BoardState, view: View, mark: Mark): string[] {
  const { step } = state
  if (step === undefined) return []
  const { paint } = view
  const colour = ({ done: 'green', failed: 'red', left: 'yellow' } as const)[mark]
  const head = stepBeginning(paint[colour](marksOf(view)[mark]), step.name, step.name)
  const text = mark === 'done' ? past(state) : mark === 'left' ? 'stopped here' : 'failed'
  return block(head, `${text} ${tookOf(step, view)}`, view)
}

/** A line that stands above the board for good, without a mark. */
export function remark(text: string, view: View): string[] {
  return block({ text: ' '.repeat(indent), width: indent }, text, view)
}

function marksOf({ unicode }: View) {
  return marks[unicode ? 'unicode' : 'ascii']
}

function tookOf({ startedAt }: { startedAt: number }, { now, paint }: View): string {
  return paint.dim(
    `(${formatDuration(Math.floor((now - startedAt) / 1_000) * 1_000).replace(/^0ms$/, '0s')})`,
  )
}

function stepBeginning(mark: string, shown: string, name: string) {
  return { text: `${mark} ${shown}${' '.repeat(indent - 2 - name.length)}`, width: indent }
}

/** What begins a row, as wide as it says. */
function beginning({ label, mark }: Row, view: View): { text: string; width: number } {
  const { paint } = view
  if (mark === undefined) {
    return { text: paint.dim(`  ${label}${' '.repeat(indent - 2 - label.length)}`), width: indent }
  }
  const colour = ({ done: 'green', failed: 'red', pending: 'dim' } as const)[mark]
  return { text: `${' '.repeat(indent)}${paint[colour](marksOf(view)[mark])} `, width: indent + 2 }
}

/** A beginning and a text; what does not fit beside the one stands under the other. */
function block(begins: { text: string; width: number }, text: string, { columns }: View): string[] {
  const [first = '', ...rest] = paragraph(text, Math.min(columns, widest), begins.width)
  return [begins.text + first, ...rest].map((line) => line.trimEnd())
}

/** The blocks that there is room for, the lightest first; of one that alone is too high, its beginning. */
function fitted(blocks: readonly { lines: string[]; weight: number }[], rows: number): string[] {
  const kept = new Set<(typeof blocks)[number]>()
  let left = rows
  for (const each of blocks.toSorted((one, other) => one.weight - other.weight)) {
    if (each.lines.length > left && kept.size > 0) continue
    kept.add(each)
    left -= each.lines.length
  }
  return blocks.flatMap((each) => (kept.has(each) ? each.lines : [])).slice(0, rows)
}

function thenRow(step: BoardStep): Row[] {
  const left = step === 'undo' ? [] : order.slice(order.indexOf(step) + 1)
  return left.length === 0 ? [] : [{ label: 'then', text: left.join(', '), weight: 9 }]
}

/** What a step does now. */
function present(state: BoardState, { now }: View): string {
  const { probe, restart, verify, undoWait, failure, targets, oldKey } = state
  switch (state.step?.name) {
    case 'mint':
      return 'creating the successor'
    case 'accept': {
      if (probe === undefined) return 'asking the API whether it takes the new key'
      const passed = Math.min(probe.inARow, probe.needed)
      const left = leftOf(probe.settlesInMs, probe.heardAt, now)
      const latest = { accepted: '', refused: '; refused so far', unknown: '; no clear answer just now' }
      return `${passed} of ${probe.needed} probes passed${left === undefined ? '' : `, ${left} to go`}${latest[probe.answer]}`
    }
    case 'deliver': {
      const done = targets.filter((target) => target.state === 'delivered').length
      return `${done} of ${places(targets.length)} ${targets.length === 1 ? 'holds' : 'hold'} the new key`
    }
    case 'verify':
      if (restart?.state === 'started') return `starting ${restart.restart} anew, until all of it runs`
      return verify?.state === 'started' ? 'running the verify command' : 'proving it from every place'
    case 'overlap':
      return 'both keys work; waiting until the old one may go'
    case 'retire':
      return `one last look, then ${oldKey?.id ?? 'the old key'} is revoked`
    case 'finish':
      return `the API must refuse ${oldKey?.id ?? 'the old key'} by now, and take the new one`
    case 'undo':
      if (undoWait) return `every place has its old value; ${undoWait.newKey} goes when it is quiet`
      if (restart?.state === 'started') return `starting ${restart.restart} anew with the old key`
      return failure === undefined ? 'putting the old values back' : `putting the old values back: ${failure}`
    case 'plan':
    case undefined:
      return 'checking everything; nothing is changed yet'
  }
}

function rowsOf(state: BoardState, view: View): Row[] {
  const { probe, restart, verify, undoWait } = state
  const { now, resume, abort } = view
  const upTo = (boundMs: number, heardAt: number): Row => ({
    label: '',
    text: `up to ${leftOf(boundMs, heardAt, now) ?? 'a moment'} more`,
    weight: 3,
  })
  switch (state.step?.name) {
    case 'accept': {
      if (probe === undefined || probe.settleMs === 0) return []
      const text = `a new key can take ${formatDuration(probe.settleMs)} to be accepted everywhere`
      const givesUp = leftOf(probe.givesUpInMs, probe.heardAt, now)
      const isLate = leftOf(probe.settlesInMs, probe.heardAt, now) === undefined
      const end =
        isLate && probe.inARow < probe.needed
          ? `; if it is not in ${givesUp ?? 'a moment'}, all is undone`
          : ''
      return [{ label: '', text: text + end, weight: 3 }]
    }
    case 'deliver':
      return targetRows(state.targets, ['delivered'])
    case 'verify':
      if (restart?.state === 'started') return [upTo(restart.boundMs, restart.heardAt)]
      return verify?.state === 'started' ? [upTo(verify.boundMs, verify.heardAt)] : []
    case 'overlap':
      return overlapRows(state, now, resume)
    case 'undo': {
      if (undoWait === undefined) {
        const given = state.targets.filter((target) => !['pending', 'failed'].includes(target.state))
        return targetRows(given, ['restored', 'left'])
      }
      const left = leftOf(undoWait.waitEndsInMs, undoWait.heardAt, now) ?? 'nothing'
      const quiet = formatDuration(undoWait.quietMs)
      const why = `an application may have loaded it: it must be seen quiet for ${quiet} (--idle, --usage-lag), then this ends`
      return [
        { label: '', text: why, weight: 2 },
        {
          label: 'wait',
          text: `${left} left of --wait for that; else it ends with exit 5, and goes on later`,
          weight: 1,
        },
        ...commandRow(abort, 'goes on undoing; the third leaves at once, and the journal keeps the rest'),
      ]
    }
    case 'plan':
    case 'mint':
    case 'retire':
    case 'finish':
    case undefined:
      return []
  }
}

/** Those first that are not done; of too many, the number. */
function targetRows(targets: BoardState['targets'], done: readonly string[]): Row[] {
  const isDone = ({ state }: { state: string }) => done.includes(state)
  const sorted = [...targets.filter((target) => !isDone(target)), ...targets.filter(isDone)]
  const rows = sorted.slice(0, mostNamed).map((target): Row => {
    const mark = isDone(target) ? 'done' : target.state === 'failed' ? 'failed' : 'pending'
    return { label: '', mark, text: target.name, weight: isDone(target) ? 6 : 4 }
  })
  const more = sorted.length - rows.length
  return more > 0 ? [...rows, { label: '', text: `and ${more} more`, weight: 7 }] : rows
}

/** What a step did. */
function past({ step, rotation, oldKey, newKey, isAdopted, probe, targets, evidence }: BoardState): string {
  const names = targets.map(({ name }) => name).join(', ')
  switch (step?.name) {
    case 'plan':
      return rotation === undefined
        ? 'nothing is in the way'
        : `rotation ${rotation} of ${oldKey?.name} (${oldKey?.id})`
    case 'mint':
      return `${isAdopted ? 'going on with' : 'created'} ${newKey}`
    case 'accept':
      return probe === undefined
        ? 'accepted'
        : `accepted ${probe.needed === 1 ? 'once' : `${probe.needed} times in a row`}`
    case 'deliver':
      return names
    case 'verify':
      return `it works from ${targets.length === 1 ? names : `all ${targets.length} places`}`
    case 'overlap':
      if (evidence?.evidence.waived) return 'no evidence was asked for'
      return evidence?.evidence.successorUsed
        ? 'the old key is quiet, the new one in use'
        : 'the old key is quiet'
    case 'retire':
      return `${oldKey?.id ?? 'the old key'} is revoked`
    case 'finish':
      return `${newKey ?? 'the new key'} is in its place`
    case 'undo': {
      const left = targets.filter(({ state }) => state === 'left').map(({ name }) => name)
      if (left.length === 0) return 'every place holds what it held'
      return `left as others changed it: ${left.join(', ')}${left.length < targets.length ? '; every other place holds what it held' : ''}`
    }
    case undefined:
      return ''
  }
}

function places(count: number): string {
  return `${count} ${count === 1 ? 'place' : 'places'}`
}
