import { describe, expect, it } from 'vitest'
import type { RotationEvent } from '../../src/rotation/run.ts'
import type { Output } from '../../src/ui/output.ts'
import { interruptionSentence, sentenceOf } from '../../src/ui/progress-sentences.ts'
import { createProgress } from '../../src/ui/progress.ts'
import { waitSentence } from '../../src/ui/wait.ts'
import { beganAt, stateAt, story, undone } from './board-events.ts'

const ways = { resume: 'pictify-keys rotate 3f7a9c --resume', abort: 'pictify-keys rotate 3f7a9c --abort' }

/** Where nothing is drawn: what was told, and a clock that is set by hand. */
async function inLines() {
  const told: { event: { event: string }; sentence: string | undefined }[] = []
  const warned: string[] = []
  let now = beganAt
  const out = {
    live: undefined,
    event: (event: { event: string }, sentence?: string) => void told.push({ event, sentence }),
    warn: (text: string) => void warned.push(text),
  } as Partial<Output> as Output
  const clock = { now: () => now, sleep: async () => {} }
  const progress = await createProgress(out, clock, () => ways)
  return {
    told,
    warned,
    progress,
    sentences: () => told.flatMap(({ sentence }) => (sentence === undefined ? [] : [sentence.trim()])),
    after: (seconds: number, event: RotationEvent) => {
      now = beganAt + seconds * 1_000
      progress.report(event)
    },
  }
}
const eventAt = (second: number, name: string, events = story) => {
  const found = events.find(([at, { event }]) => at === second && event === name)?.[1]
  if (found === undefined) throw new Error(`no ${name} then`)
  return found
}

describe('in lines', () => {
  it('tells a rotation from its beginning to its end, a line for each thing', async () => {
    const { after, sentences } = await inLines()
    for (const [second, event] of story) after(second, event)
    expect(sentences()).toEqual([
      'checking everything before anything is changed',
      'creating the successor',
      'created key_def456',
      'waiting until the API accepts it everywhere',
      'a new key can take 30s to be accepted everywhere; 18s to go, and 3 probes in a row, within 1m 48s',
      'delivering it to the targets',
      'env:.env#PICTIFY_API_KEY: delivered',
      'k8s:shop/pictify#api-key: delivered',
      'verifying it from every target',
      'starting deployment/web anew, and waiting up to 5m until all of it runs',
      'deployment/web: runs with what its targets hold',
      'running the verify command, up to 2m',
      'the verify command is content',
      'waiting for evidence that the old key is quiet',
      'waiting up to 14m: key_abc123 was last used at 2026-11-21T16:38:50Z; it must be seen quiet for 10m',
      'the evidence is in',
      'revoking the old key',
      'proving the end and tidying up',
    ])
  })

  it('says why it is undone', async () => {
    const { after, sentences } = await inLines()
    for (const [second, event] of undone) after(second, event)
    expect(sentences().slice(-4)).toEqual([
      'undoing the rotation: the verify command ended with 1: ./smoke.sh',
      'env:.env#PICTIFY_API_KEY: restored',
      'k8s:shop/pictify#api-key: restored',
      'an application may have loaded key_def456: it goes once it has been quiet for 10m (--idle and --usage-lag), and then this ends; waiting up to 14m 50s for that, else it ends with exit 5 and the same line goes on',
    ])
  })

  it('says of a successor that another machine made that it goes on with it, and not that it was created', async () => {
    const { after, sentences } = await inLines()
    after(0, { event: 'adopted', rotation: '3f7a9c', newKey: 'key_def456' })
    after(0, { event: 'state', state: 'minted', newKey: 'key_def456' })
    expect(sentences()).toEqual([
      'going on with rotation 3f7a9c, which another machine began, and its successor key_def456',
    ])
  })

  it('repeats what is looked at again and again when it is news, and else once a minute', async () => {
    const { after, told } = await inLines()
    const seen = eventAt(60, 'evidence')
    if (seen.event !== 'evidence') throw new Error('no evidence')
    const again = (second: number, lastUsedAt = seen.evidence.oldKeyLastUsedAt) =>
      after(second, {
        ...seen,
        evidence: {
          ...seen.evidence,
          checkedAt: new Date(beganAt + second * 1_000).toISOString(),
          usageUpdatedAt: new Date(beganAt + (second - 5) * 1_000).toISOString(),
          oldKeyLastUsedAt: lastUsedAt,
        },
        // words that count down are no news
        missing: [`the overlap of 1h is over in ${3_600 - second}s`],
        waitEndsInMs: (3_600 - second) * 1_000,
      })
    for (let second = 0; second < 60; second += 5) again(second)
    expect(told).toHaveLength(1)
    again(60)
    expect(told).toHaveLength(2)
    again(65, '2026-11-21T16:41:00Z')
    expect(told).toHaveLength(3)
    for (const [second, event] of undone.slice(-1)) {
      after(second + 60, event)
      after(second + 75, event)
      after(second + 121, event)
    }
    expect(told.map(({ event }) => event.event)).toEqual([
      'evidence',
      'evidence',
      'evidence',
      'undo-wait',
      'undo-wait',
    ])
  })

  it('hands warnings and waits on', async () => {
    const { after, progress, told, warned } = await inLines()
    after(0, { event: 'warning', code: 'lease', message: 'could not give the lease up' })
    progress.waits({ reason: 'rate-limit', what: 'listing keys', ms: 12_000 })
    expect(warned).toEqual(['could not give the lease up'])
    expect(told).toEqual([
      {
        event: { event: 'wait', reason: 'rate-limit', what: 'listing keys', ms: 12_000 },
        sentence: "the API's rate limit is used up: listing keys goes on in 12s, at 16:40:12 UTC",
      },
    ])
  })

  it('says what each interruption does', async () => {
    const { after, progress, told } = await inLines()
    for (const [second, event] of story.filter(([second]) => second <= 60)) after(second, event)
    told.length = 0
    for (const count of [1, 2, 3, 4]) progress.interrupted(count)
    expect(told.map(({ event }) => event)).toEqual(
      ['stop', 'undo', 'end', 'end'].map((then) => ({ event: 'interrupted', then })),
    )
  })
})

describe('what is said of an event', () => {
  it.each([
    [
      { event: 'resumed', rotation: '3f7a9c', state: 'minted' },
      'going on with rotation 3f7a9c, which was minted',
    ],
    [
      { event: 'target-failed', target: 'env:.env', message: 'no space', attempt: 2, attempts: 3 },
      '  env:.env: attempt 2 of 3 failed: no space',
    ],
    [{ event: 'target', target: 'env:.env', state: 'writing' }, undefined],
    [{ event: 'state', state: 'aborted' }, undefined],
    [{ event: 'state', state: 'retired' }, '  the old key is revoked'],
  ] as const)('%o', (event, sentence) => {
    expect(sentenceOf(event, stateAt(0))).toBe(sentence)
  })
})

describe('what is said of a wait', () => {
  it.each([
    [{ reason: 'failure', what: 'listing keys', message: 'no answer', ms: 300 } as const, undefined],
    [
      { reason: 'failure', what: 'listing keys', message: 'the API failed (503)', ms: 4_000 } as const,
      'the API failed (503): listing keys is tried again in 4s, at 16:40:04 UTC',
    ],
  ])('%o', (wait, sentence) => {
    expect(waitSentence(wait, beganAt)).toBe(sentence)
  })
})

describe('what is said of an interruption', () => {
  it.each([
    [
      'the plan',
      0,
      story,
      [/^stopping; nothing was changed yet$/, /^stopping/, /^left at once; nothing was changed$/],
    ],
    [
      'a step before the old key goes',
      14,
      story,
      [
        /both keys work; a second Ctrl-C undoes the rotation, a third leaves at once: the journal .*--resume$/,
        /^undoing .*a third Ctrl-C leaves at once: the journal .*--abort/,
        /^left at once; the journal.*--resume$/,
      ],
    ],
    ['the overlap', 70, story, [/^stopping at the next safe point/, /^undoing/, /--resume$/]],
    [
      'a step after that',
      602,
      story,
      [/no way back; should .*--resume$/, /a third Ctrl-C leaves at once/, /--resume$/],
    ],
    [
      'undoing',
      60,
      undone,
      [
        /that goes on; a third Ctrl-C leaves at once: .*--abort$/,
        /that goes on; a third Ctrl-C leaves at once: .*--abort$/,
        /not undone to the end.*--abort$/,
      ],
    ],
  ])('in %s', (_name, seconds, events, patterns) => {
    for (const [index, pattern] of patterns.entries()) {
      expect(interruptionSentence(stateAt(seconds, events), index + 1, ways)).toMatch(pattern)
    }
  })

  const [plan, known] = story
  const rotation = known?.[1]
  if (plan === undefined || rotation?.event !== 'rotation') throw new Error('no such story')
  const going = { event: 'resumed', rotation: '3f7a9c' } as const

  it.each([
    [
      'before a successor',
      { ...going, state: 'planned' } as const,
      /the old key works; a second Ctrl-C undoes/,
    ],
    ['with a successor', { ...going, state: 'minted' } as const, /both keys work; a second Ctrl-C undoes/],
    ['once the old key is revoked', { ...going, state: 'retired' } as const, /there is no way back/],
  ])('in the plan of one that is gone on with %s', (_name, event, pattern) => {
    const state = stateAt(1, [plan, [1, event]])
    expect(interruptionSentence(state, 1, ways)).toMatch(pattern)
    expect(interruptionSentence(state, 3, ways)).not.toContain('nothing was changed')
  })

  it('before a new key is made says that the old one works', () => {
    expect(interruptionSentence(stateAt(1), 1, ways)).toContain('the old key works; a second Ctrl-C undoes')
  })

  it.each(['plan', 'mint', 'accept'] as const)('in %s of one that revokes first', (step) => {
    const state = stateAt(2, [plan, [1, { ...rotation, revokeFirst: true }], [2, { event: 'step', step }]])
    const [first, second, third] = [1, 2, 3].map((count) => interruptionSentence(state, count, ways))
    expect(first).toMatch(/the old key is revoked first of all, so there is no way back; go on .*--resume$/)
    expect(second).toMatch(/no way back; a third Ctrl-C leaves at once: .*; go on .*--resume$/)
    expect(third).toMatch(/^left at once; the journal keeps what was done/)
  })

  it('in the first moments of --abort', () => {
    const state = stateAt(1, [[1, { ...rotation, state: 'delivered' }]])
    expect(interruptionSentence(state, 1, ways)).toMatch(/that goes on; a third Ctrl-C .*--abort$/)
  })

  it('names no command before there is a rotation', () => {
    expect(interruptionSentence(stateAt(0), 1, undefined)).not.toContain('pictify-keys')
  })
})
