import { describe, expect, test } from 'vitest'
import { defaultWaits } from '../../src/rotation/state.ts'
import { planText, type PlannedPlace, type PlannedRotation } from '../../src/ui/rotation-plan.ts'

const place = (name: string, more: Partial<PlannedPlace> = {}): PlannedPlace => ({
  name,
  state: 'holds',
  readback: 'value',
  ...more,
})

const plan = (more: Partial<PlannedRotation> = {}): PlannedRotation => ({
  key: { id: 'key_abc', name: 'Server', type: 'live' },
  places: [place('env:.env')],
  restarts: [],
  verify: undefined,
  waits: defaultWaits,
  acceptBoundMs: 120_000,
  evidence: true,
  compromised: undefined,
  deleteOld: false,
  ...more,
})

/** One line a step. */
function steps(given: PlannedRotation): string[] {
  const text = planText(given, 1_000)
  return text.filter((line) => /^ *\d+\. /.test(line)).map((line) => line.replace(/^ *\d+\. /, ''))
}
const said = (given: PlannedRotation) => planText(given, 1_000).join('\n')

describe('the plan', () => {
  test('is every step in order, with how long each may take', () => {
    expect(steps(plan({ verify: './smoke.sh' }))).toEqual([
      'Check everything once more: the account, the places, room for one more key. Nothing is changed yet.',
      'Create the successor of Server, a live key like it.',
      'Wait until the API accepts it everywhere: 30s, at most 2m, or else it is undone.',
      'Put it into env:.env, and read it back: a moment.',
      'Try it as each place holds it, then run ./smoke.sh (at most 2m). Should that fail, everything is put back.',
      'Keep both keys valid until there is evidence: nothing has used the old key for 10m after the delivery.',
      'Revoke the old key, key_abc: for good.',
      'Prove that the old key is refused and the new one accepted, and give that its name.',
    ])
    expect(said(plan())).toContain('This run waits up to 15m for that; then it ends, both keys stay valid')
    expect(said(plan())).toContain('Until step 7 the old key works.')
  })

  test.each<[string, Partial<PlannedRotation>, string[]]>([
    [
      'a file that is made',
      { places: [place('env:.env', { state: 'made' })] },
      [
        'env:.env is not there yet: it will be made.',
        'for 10m after the delivery, and something uses the new one.',
      ],
    ],
    [
      'a place that held no key',
      { places: [place('env:.env', { state: 'empty' })] },
      [
        'env:.env holds no key yet: is that where the application reads it?',
        'and something uses the new one',
      ],
    ],
    [
      'a place that cannot be read',
      {
        places: [
          place('env:.env'),
          place('github:a/b#C', { state: 'unknown', readback: 'none', boundMs: 30_000 }),
        ],
      },
      [
        'Put it into env:.env, github:a/b#C, and read it back: up to 30s for each call.',
        'github:a/b#C cannot be read back: it is written last.',
        'and something uses the new one',
      ],
    ],
    [
      'a restart',
      { restarts: ['deployment/web'] },
      ['Start deployment/web anew, and wait until all of it runs'],
    ],
    [
      'an overlap',
      { waits: { ...defaultWaits, overlapMs: 3_600_000 } },
      ['Keep both keys valid for at least 1h, and on until there is evidence: '],
    ],
    [
      'no quiet time',
      { waits: { ...defaultWaits, idleMs: 0, usageLagMs: 0 } },
      ['nothing has used the old key since the delivery.'],
    ],
    ['no evidence', { evidence: false }, ['Ask for no evidence that the old key is quiet (--no-evidence).']],
    ['the old key deleted', { deleteOld: true }, ['It is deleted, too.']],
    ['nothing but the credential', { places: [] }, ['Keep it as your credential.']],
  ])('says of %s what it comes to', (_, more, sentences) => {
    for (const sentence of sentences) expect(said(plan(more))).toContain(sentence)
  })

  test('of a leaked key has no overlap; revoked first, it says what fails until when', () => {
    const leaked = steps(plan({ compromised: 'no-overlap' }))
    expect(leaked).toHaveLength(7)
    expect(leaked.join()).not.toContain('Keep both keys valid')
    const first = plan({ compromised: 'revoke-first' })
    expect(steps(first)[1]).toBe('Revoke the old key, key_abc first of all: for good.')
    expect(said(first)).toContain('From step 2 on, what uses the old key fails until it has the new one.')
    expect(said(first)).toContain('once the old key is revoked, there is no way back.')
    expect(said(first)).not.toContain('undoes')
  })

  test.each([30, 40, 80, 200])('fits %d columns in whole words', (columns) => {
    const lines = planText(plan({ verify: './smoke.sh', deleteOld: true }), columns)
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns)
    const words = (text: string) => text.split(/\s+/).join(' ')
    expect(words(lines.join(' '))).toBe(words(said(plan({ verify: './smoke.sh', deleteOld: true }))))
  })
})
