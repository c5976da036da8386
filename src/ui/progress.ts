// Rules of this file:
// - nothing here is waited for; a terminal that takes nothing (Ctrl-S) holds the whole process all the same, for Node writes
//   to terminals synchronously;
// - what is drawn or printed is clean: no event's text reaches a terminal as it came.
import type { Wait } from '../api/contract.ts'
import type { Clock } from '../clock.ts'
import type { RotationEvent } from '../rotation/run.ts'
import { after, boardAt, whileWaiting, type BoardState } from './board-state.ts'
import { board, finished, remark, type Mark, type View } from './board.ts'
import type { Region, Size } from './live.ts'
import type { Output } from './output.ts'
import { interruptionSentence, sentenceOf, type Ways } from './progress-sentences.ts'
import { mapStrings } from './text.ts'
import { tellWait } from './wait.ts'

/** Tells of a rotation as it goes. */
export interface Progress {
  /** With --json one JSON object a line, else the board or sentences. */
  report: (event: RotationEvent) => void
  /** The client waits before it asks again. */
  waits: (wait: Wait) => void
  /** There was an interruption, the `count`th. */
  interrupted: (count: number) => void
  /** It is over; `mark` is what became of the step that was under way. */
  end: (mark: Mark) => void
}

/** The same news again is no news for so long. */
const repeatMs = 60_000
const thens = ['stop', 'undo', 'end'] as const

/** `waysOf` says by which commands a rotation, by its id, is gone on with. */
export async function createProgress(
  out: Output,
  clock: Clock,
  waysOf: (rotation: string) => Ways,
): Promise<Progress> {
  let state = boardAt(clock.now())
  const ways = () => (state.rotation === undefined ? undefined : waysOf(state.rotation))
  const inLines = lineReporter(out, clock)
  const drawn = await drawer(out, clock, () => state, ways)

  return {
    report(event) {
      const before = state
      const heard = mapStrings(event, (text) => out.live?.clean(text) ?? text)
      state = after(state, heard, clock.now())
      if (event.event === 'warning') out.warn(event.message)
      else if (drawn === undefined) inLines(event, before)
      else if (heard.event !== 'warning') drawn.follow(heard, before)
    },

    waits(wait) {
      const heard = mapStrings(wait, (text) => out.live?.clean(text) ?? text)
      state = whileWaiting(state, heard, clock.now())
      if (drawn === undefined) tellWait(out, wait, clock.now())
    },

    interrupted(count) {
      if (count > 2) drawn?.end('left')
      const then = thens[Math.min(count, 3) - 1] ?? 'end'
      out.event({ event: 'interrupted', then }, interruptionSentence(state, count, ways()))
    },

    end: (mark) => drawn?.end(mark),
  }
}

/** Events as lines; what is looked at again and again is told when it is news, and else once a minute. */
function lineReporter(out: Output, clock: Clock) {
  let told = { news: '', at: -Infinity }
  return (event: Exclude<RotationEvent, { event: 'warning' }>, before: BoardState) => {
    const news = newsOf(event)
    const now = clock.now()
    if (news !== undefined) {
      if (news === told.news && now - told.at < repeatMs) return
      told = { news, at: now }
    }
    out.event({ ...event }, sentenceOf(event, before))
  }
}

/** What of an event that comes every few seconds is not the same each time, but for the time that has passed. */
function newsOf(event: RotationEvent): string | undefined {
  if (event.event === 'undo-wait') return event.newKey
  if (event.event !== 'evidence') return undefined
  const { checkedAt: _, usageUpdatedAt, ...seen } = event.evidence
  const { missing, requests } = event
  return JSON.stringify([seen, usageUpdatedAt === null, missing.length, requests])
}

/** What became of a step, by the event that ended it. */
function markOf(event: RotationEvent): Mark {
  if (event.event !== 'state' || event.state !== 'aborting') return 'done'
  return event.failure?.code === 'interrupted' ? 'left' : 'failed'
}

/** The board at the foot of the terminal, and above it a line for each step that is over. */
async function drawer(out: Output, clock: Clock, now: () => BoardState, ways: () => Ways | undefined) {
  const { live } = out
  if (live === undefined) return undefined
  let isOver = false
  let size: Size = { columns: 80, rows: 24 }
  const view = (): View => ({
    ...size,
    now: clock.now(),
    paint: live.paint,
    unicode: live.unicode,
    resume: ways()?.resume,
    abort: ways()?.abort,
  })
  const region: Region = await live.open((given) => {
    size = given
    return board(now(), view())
  })
  const above = (lines: readonly string[]) => {
    if (lines.length > 0) region.write(`${lines.join('\n')}\n`)
  }

  return {
    follow(event: Exclude<RotationEvent, { event: 'warning' }>, before: BoardState) {
      const isNext = before.step !== undefined && now().step?.name !== before.step.name
      if (isNext) above(finished(before, view(), markOf(event)))
      const remarked = ['resumed', 'adopted', 'target-failed'].includes(event.event)
      const sentence = remarked ? sentenceOf(event, before)?.trim() : undefined
      if (sentence !== undefined) above(remark(sentence, view()))
      region.draw()
    },

    end(mark: Mark) {
      if (isOver) return
      isOver = true
      above(finished(now(), view(), mark))
      region.end()
    },
  }
}
