import { describe, expect, it, test } from 'vitest'
import { whileWaiting, type BoardState } from '../../src/ui/board-state.ts'
import { board, finished, remark, type View } from '../../src/ui/board.ts'
import { colours } from '../../src/ui/colours.ts'
import { plain } from '../../src/ui/paint.ts'
import { rowsOf } from '../../src/ui/wrapping.ts'
import { beganAt, stateAt, story, undone } from './board-events.ts'

const view = (seconds: number, given: Partial<View> = {}): View => ({
  now: beganAt + seconds * 1_000,
  columns: 79,
  rows: 23,
  paint: plain,
  unicode: true,
  resume: 'pictify-keys rotate 3f7a9c --resume',
  abort: 'pictify-keys rotate 3f7a9c --abort',
  ...given,
})
const shown = (seconds: number, events = story, given: Partial<View> = {}) =>
  board(stateAt(seconds, events), view(seconds, given))

describe('the board', () => {
  it.each([
    [
      'plan',
      0,
      [
        '⠋ plan     checking everything; nothing is changed yet (0s)',
        '  then     mint, accept, deliver, verify, overlap, retire, finish',
      ],
    ],
    [
      'accept',
      21,
      [
        '⠋ accept   3 of 3 probes passed, 11s to go (19s)',
        '           a new key can take 30s to be accepted everywhere',
        '  then     deliver, verify, overlap, retire, finish',
      ],
    ],
    [
      'deliver',
      34,
      [
        '⠋ deliver  1 of 2 places hold the new key (2s)',
        '           · k8s:shop/pictify#api-key',
        '           ✓ env:.env#PICTIFY_API_KEY',
        '  then     verify, overlap, retire, finish',
      ],
    ],
    [
      'a restart',
      38,
      [
        '⠋ verify   starting deployment/web anew, until all of it runs (3s)',
        '           up to 4m 58s more',
        '  then     overlap, retire, finish',
      ],
    ],
    [
      'the verify command',
      43,
      [
        '⠋ verify   running the verify command (8s)',
        '           up to 1m 58s more',
        '  then     overlap, retire, finish',
      ],
    ],
    [
      'overlap',
      70,
      [
        '⠋ overlap  both keys work; waiting until the old one may go (24s)',
        '  old key  key_abc123 1,204 requests in 24h, last used 2m 20s ago',
        '  new key  key_def456    87 requests in 24h, last used 11s ago',
        "           figures of 16:39:30 UTC, 1m 40s ago; this run's own probes are among",
        '           them',
        '  missing  key_abc123 was last used at 2026-11-21T16:38:50Z; it must be seen',
        '           quiet for 10m',
        '           it can be there in 7m 30s at the earliest',
        '  wait     13m 50s left of --wait, then it ends with exit 5; both keys work',
        '  Ctrl-C   stops here; a second undoes it, a third leaves at once',
        '           go on later: pictify-keys rotate 3f7a9c --resume',
        '  then     retire, finish',
      ],
    ],
  ])('says of %s what it waits for, and how long', (_name, seconds, lines) => {
    expect(shown(seconds)).toEqual(lines)
  })

  it('says why it is undone, and then what for it waits', () => {
    expect(shown(43, undone)).toEqual([
      '⠋ undo     putting the old values back: the verify command ended with 1:',
      '           ./smoke.sh (1s)',
      '           · k8s:shop/pictify#api-key',
      '           ✓ env:.env#PICTIFY_API_KEY',
    ])
    expect(shown(60, undone)).toEqual([
      '⠋ undo     every place has its old value; key_def456 goes when it is quiet',
      '           (18s)',
      '           an application may have loaded it: it must be seen quiet for 10m',
      '           (--idle, --usage-lag), then this ends',
      '  wait     14m 35s left of --wait for that; else it ends with exit 5, and goes',
      '           on later',
      '  Ctrl-C   goes on undoing; the third leaves at once, and the journal keeps the',
      '           rest',
      '           go on later: pictify-keys rotate 3f7a9c --abort',
    ])
  })

  it.each([
    [
      { reason: 'rate-limit', what: 'listing keys', ms: 12_000 } as const,
      "  waits    the API's rate limit is used up: listing keys goes on in 10s, at",
    ],
    [
      { reason: 'failure', what: 'listing keys', message: 'the API failed (503)', ms: 3_000 } as const,
      '  waits    the API failed (503): listing keys is tried again in 1s, at 16:41:13',
    ],
  ])('says while the client waits why that is: %o', (wait, line) => {
    const state = whileWaiting(stateAt(70), wait, beganAt + 70_000)
    expect(board(state, view(72))).toContain(line)
    // whatever is heard next, the answer came
    expect(shown(71).join('\n')).not.toContain('waits')
  })

  it('says that a key which is not taken for too long is undone', () => {
    const late = story.map(([second, event]): (typeof story)[number] =>
      event.event === 'probe'
        ? [second, { ...event, answer: 'refused', inARow: 0, settlesInMs: 0, givesUpInMs: 78_000 }]
        : [second, event],
    )
    expect(shown(16, late)).toEqual([
      '⠋ accept   0 of 3 probes passed; refused so far (14s)',
      '           a new key can take 30s to be accepted everywhere; if it is not in 1m',
      '           16s, all is undone',
      '  then     deliver, verify, overlap, retire, finish',
    ])
  })

  it('names a few of many places, those first that do not hold it', () => {
    const targets = Array.from({ length: 20 }, (_, index) => ({
      name: `file:${index}`,
      state: index < 12 ? ('delivered' as const) : ('pending' as const),
    }))
    const state: BoardState = { ...stateAt(34), targets }
    const lines = board(state, view(34))
    expect(lines[0]).toContain('12 of 20 places hold the new key')
    expect(lines.slice(1, 8)).toEqual([
      ...[12, 13, 14, 15, 16, 17].map((index) => `           · file:${index}`),
      '           and 14 more',
    ])
  })

  it('says what is not known in words', () => {
    const blind = story.map(([second, event]): (typeof story)[number] =>
      event.event === 'evidence'
        ? [
            second,
            {
              ...event,
              evidence: { ...event.evidence, oldKeyLastUsedAt: null, usageUpdatedAt: null },
              requests: { old: null, new: null },
            },
          ]
        : [second, event],
    )
    const text = shown(70, blind).join('\n')
    expect(text).toContain('key_abc123 ? requests in 24h, never used')
    expect(text).toContain('the usage of the old key is not to be had')
  })
})

describe('in every terminal', () => {
  const sizes = [24, 39, 79, 199].flatMap((columns) => [3, 9, 40].map((rows) => [columns, rows] as const))
  const moments = [
    ...story.map(([second]) => [second, story] as const),
    ...undone.map(([second]) => [second, undone] as const),
  ]

  test.each(sizes)('%i columns and %i rows are enough', (columns, rows) => {
    for (const [second, events] of moments) {
      for (const [paint, unicode] of [
        [plain, true],
        [colours, true],
        [plain, false],
      ] as const) {
        const lines = shown(second + 0.5, events, { columns, rows, paint, unicode })
        expect(lines.length).toBeLessThanOrEqual(rows)
        expect(lines.length).toBeGreaterThan(0)
        for (const line of lines) expect(rowsOf(line, columns), line).toHaveLength(1)
      }
    }
  })

  it('keeps what matters most where there are few rows', () => {
    const text = shown(70, story, { columns: 39, rows: 9 }).join(' ').replaceAll(/\s+/g, ' ')
    expect(text).toContain('it must be seen quiet for 10m')
    expect(text).not.toContain('then retire')
    expect(shown(70, story, { columns: 79, rows: 9 })).toHaveLength(9)
  })

  it('is the same in colour and without, but for the colour', () => {
    const coloured = shown(70, story, { paint: colours }).join('\n')
    expect(coloured).toContain('\x1b[')
    expect(coloured.replaceAll(/\x1b\[\d+m/g, '')).toBe(shown(70).join('\n'))
  })

  it('does with ASCII where the terminal has no more', () => {
    for (const second of [0, 21, 34, 70]) {
      expect(shown(second, story, { unicode: false }).join('\n')).toMatch(/^[\x20-\x7e\n]+$/)
    }
    expect(finished(stateAt(34), view(34, { unicode: false }), 'done')[0]).toMatch(/^\+ deliver/)
  })

  it('is turned by time alone', () => {
    const state = stateAt(21)
    const marks = [0, 100, 200].map((ms) => board(state, view(21 + ms / 1_000))[0]?.[0])
    expect(new Set(marks).size).toBe(3)
  })
})

describe('what stays of a step', () => {
  it.each([
    [0, 'done', '✓ plan     nothing is in the way (0s)'],
    [2, 'done', '✓ accept   accepted (0s)'],
    [30, 'done', '✓ accept   accepted 3 times in a row (28s)'],
    [34, 'done', '✓ deliver  env:.env#PICTIFY_API_KEY, k8s:shop/pictify#api-key (2s)'],
    [45, 'done', '✓ verify   it works from all 2 places (10s)'],
    [600, 'done', '✓ overlap  the old key is quiet, the new one in use (9m 14s)'],
    [601, 'done', '✓ retire   key_abc123 is revoked (0s)'],
    [603, 'done', '✓ finish   key_def456 is in its place (1s)'],
    [70, 'left', '■ overlap  stopped here (24s)'],
    [45, 'failed', '✗ verify   failed (10s)'],
  ] as const)('after %is, %s', (seconds, mark, line) => {
    expect(finished(stateAt(seconds), view(seconds), mark)).toEqual([line])
  })

  it('is nothing before there was one', () => {
    expect(finished(stateAt(-1), view(0), 'failed')).toEqual([])
    expect(board(stateAt(-1), view(0))).toEqual([])
  })

  it('wraps what is remarked under the texts', () => {
    expect(remark('env:.env: attempt 1 of 3 failed: no space', view(0, { columns: 39 }))).toEqual([
      '           env:.env: attempt 1 of 3',
      '           failed: no space',
    ])
  })
})
