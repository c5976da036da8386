import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { errorOf } from '../cli/account.ts'
import {
  at,
  expectRotated,
  expectSafe,
  failDisk,
  line,
  openAttempt,
  tally,
  type Step,
} from './broken-disk.ts'

// A few of the steps that disk.torture.ts fails all of.

const step = (words: string, nth = 1): Step => ({ point: `before ${words}`, nth })

describe('a disk that fails', () => {
  it('to bring the intent onto the disk keeps the create from being sent', async () => {
    const attempt = await openAttempt()
    try {
      const ran = await attempt.attempt(at(step('fsync ~/state/rotations/:id.json.tmp'), { what: 'EIO' }))
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
    ['while the secret goes into escrow', 'writeFile ~/state/rotations/:id.json.tmp', 2, 'ENOSPC', false],
    ['from then on', 'writeFile ~/state/rotations/:id.json.tmp', 2, 'ENOSPC', true],
    ['while the target is written', 'fsync ~/.env.tmp', 1, 'EIO', false],
    ['as the lock is given back', 'unlink ~/state/locks/:id.lock', 1, 'EROFS', false],
  ])('%s: the old key works, and the same line ends it', async (_when, words, nth, what, on) => {
    await failDisk(step(words, nth), { what, on }, tally())
  })

  it('right after the target took its new name is made to hold it before the old key goes', async () => {
    const attempt = await openAttempt()
    try {
      // The folder of `.env` is synced twice before: for the state directory in it, and to see whether it can be.
      const ran = await attempt.attempt(at(step('fsync ~', 3), { what: 'EIO' }))
      expect(ran.exit, ran.stderr).toBe(0)
      const after = ran.points.slice(ran.points.indexOf('after rename ~/.env'))
      expect(after.filter((point) => point === 'before fsync ~')).toHaveLength(2)
      expect(after.indexOf('after fsync ~')).toBeLessThan(
        after.findIndex((point) => point.startsWith('before POST')),
      )
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
    const ran = await attempt.home.run(line, { first: 'ulimit -f 16' })
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
