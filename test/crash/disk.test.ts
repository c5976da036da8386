import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { errorOf } from '../cli/account.ts'
import {
  expectRotated,
  expectSafe,
  failDisk,
  line,
  openAttempt,
  planOf,
  tally,
  type Step,
} from './broken-disk.ts'

// A few of the steps that disk.torture.ts fails all of.

let steps: Step[]
beforeAll(async () => {
  steps = await planOf({ reads: true })
})

/** Where a step is, by its words and which of its kind it is; counted from the end where that is negative. */
function place(words: string, turn: number): number {
  const kind = steps.filter(({ point }) => point === `before ${words}`)
  const step = kind.at(turn)
  if (step === undefined) throw new Error(`no step ${words} #${turn} in ${steps.length}`)
  return step.at
}

describe('a disk that fails', () => {
  it('to bring the intent onto the disk keeps the create from being sent', async () => {
    const attempt = await openAttempt()
    try {
      const ran = await attempt.attempt({
        at: place('fsync ~/state/rotations/:id.json.tmp', 0),
        what: 'EIO',
        reads: true,
      })
      expect(ran.exit).toBe(7)
      expect(errorOf(ran).message).toMatch(
        /stopped at planned: cannot keep rotation journals in .*: the disk reports an error/,
      )
      expect(attempt.sandbox.requests.filter(({ method }) => method === 'POST')).toEqual([])
      const again = await attempt.attempt()
      expect(again.exit, again.stderr).toBe(0)
      await expectRotated(attempt, 'run again')
    } finally {
      await attempt.end()
    }
  })

  it.each([
    ['while the secret goes into escrow', 'writeFile ~/state/rotations/:id.json.tmp', 1, 'ENOSPC', false],
    ['from then on', 'writeFile ~/state/rotations/:id.json.tmp', 1, 'ENOSPC', true],
    ['while the target is written', 'fsync ~/.env.tmp', 0, 'EIO', false],
    ['as the lock is given back', 'unlink ~/state/locks/:id.lock', 0, 'EROFS', false],
  ])('%s: the old key works, and the same line ends it', async (_when, words, turn, what, on) => {
    await failDisk({ at: place(words, turn), what, on, reads: true }, tally())
  })

  it('after the receipt is in its place: the rotation is done, and the next line is not told to repeat it', async () => {
    const attempt = await openAttempt()
    try {
      const ran = await attempt.attempt({
        at: place('fsync ~/state/rotations', -1),
        what: 'EIO',
        reads: true,
      })
      expect(ran.exit, ran.stderr).toBe(0)
      expect(ran.stderr).toContain('the receipt may not last')
      await expectRotated(attempt, 'the first run')
    } finally {
      await attempt.end()
    }
  })

  it('right after the target took its new name is made to hold it before the old key goes', async () => {
    const attempt = await openAttempt()
    try {
      // The folder of `.env` is synced for its own sake once: the other times it is for the state directory in it.
      const rename = place('rename ~/.env', 0)
      const sync = steps.find(({ at, point }) => at > rename && point === 'before fsync ~')
      const ran = await attempt.attempt({ at: sync?.at ?? 0, what: 'EIO', reads: true })
      expect(ran.exit, ran.stderr).toBe(0)
      const after = ran.points.slice(sync?.at)
      const synced = after.indexOf('after fsync ~')
      expect(synced).toBeGreaterThan(0)
      expect(synced).toBeLessThan(after.findIndex((point) => point.startsWith('before POST')))
      await expectRotated(attempt, 'the first run')
    } finally {
      await attempt.end()
    }
  })
})

it('a file that may be no larger than a journal gets in the way before anything is minted', async () => {
  const attempt = await openAttempt()
  try {
    const before = await attempt.read('.env')
    const ran = await attempt.home.run(line, { fileSizeLimit: 8 * 1024 })
    expect(ran.exit).toBe(1)
    expect(errorOf(ran)).toMatchObject({
      code: 'state-directory',
      message: expect.stringContaining('it is larger than it may be') as string,
    })
    expect(await readFile(path.join(attempt.home.directory, '.env'), 'utf8')).toBe(before)
    expect(attempt.sandbox.requests.filter(({ method }) => method === 'POST')).toEqual([])
    await expectSafe(attempt, 'limited')
  } finally {
    await attempt.end()
  }
})
