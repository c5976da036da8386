import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { errorOf } from '../cli/account.ts'
import { printFigures } from '../figures.ts'
import { at, expectRotated, expectSafe, line, openAttempt, type Attempt } from './broken-disk.ts'

// A rotation whose secrets the credential of today cannot open: what can be proved from the API and the targets goes
// on when that is asked for; nothing is guessed.

let attempt: Attempt
const figures = { refused: 0, 'ended by --take-over': 0, 'went on with the first key': 0, orphans: 0 }
afterAll(() => printFigures('an escrow that the present credential cannot open', figures))
beforeEach(async () => {
  attempt = await openAttempt()
})
afterEach(() => attempt.end())

/** Leaves a rotation right after an entry of its journal, and signs in with another admin key from there on. */
async function leaveAndSignInAnew(nth: number, revokeOld: boolean) {
  const { sandbox } = attempt
  const ran = await attempt.attempt(
    at({ point: 'after rename ~/state/rotations/:id.json', nth }, { what: 'SIGKILL', reads: false }),
  )
  expect(ran.signal, ran.stderr).toBe('SIGKILL')
  const own = sandbox.keys().find(({ secret }) => secret.equals(sandbox.adminKey))
  const other = sandbox.dashboard.create({
    name: 'Another admin',
    access: 'admin',
    createdAt: Date.now() - 3_600_000,
  })
  if (revokeOld) sandbox.dashboard.revoke(own?.id ?? '')
  return { PICTIFY_ADMIN_KEY: other.secret.reveal() }
}

/** The entries: the escrow, the target being written and delivered, the revoke. */
describe.each([2, 7, 9, 15])('a rotation left after entry %d of its journal', (nth) => {
  it.each([
    ['another admin key, too', false],
    ['another admin key, instead', true],
  ])('with %s: refused with what to do, then ended', async (_what, revokeOld) => {
    const env = await leaveAndSignInAnew(nth, revokeOld)
    const ran = await attempt.home.run(line, { env })
    expect(ran.exit, ran.stderr).toBe(7)
    expect(errorOf(ran)).toMatchObject({
      code: 'escrow-locked',
      hint: expect.stringContaining('--take-over') as string,
    })
    await expectSafe(attempt, 'refused')
    for (const flag of ['--resume', '--abort']) {
      const flagged = await attempt.home.run(['rotate', flag, '--json'], { env })
      expect(errorOf(flagged), flag).toMatchObject({ code: 'escrow-locked' })
      await expectSafe(attempt, flag)
    }
    const taken = await attempt.home.run([...line, '--take-over'], { env })
    expect(taken.exit, taken.stderr).toBe(0)
    expect(attempt.looks().refused).toBe(0)
    const admins = attempt.sandbox.keys().filter(({ access }) => access === 'admin')
    expect(admins.filter(({ status }) => status === 'active')).toHaveLength(revokeOld ? 1 : 2)
    await expectRotated(attempt, 'taken over')
    figures.refused += 3
    figures['ended by --take-over'] += 1
  })

  it('goes on by itself with the admin key that began it', async () => {
    await leaveAndSignInAnew(nth, false)
    const ran = await attempt.attempt()
    expect(ran.exit, ran.stderr).toBe(0)
    await expectRotated(attempt, 'the first admin key')
    figures['went on with the first key'] += 1
  })
})
