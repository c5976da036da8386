import { readFile } from 'node:fs/promises'
import path from 'node:path'
import pMap from 'p-map'
import { expect, it } from 'vitest'
import { openAccount } from '../cli/account.ts'
import { printFigures } from '../figures.ts'
import { at, expectToldWell, runSabotaged, stepsOf, tally, type Sabotage, type Step } from './broken-disk.ts'

// With --self the profile file is a target that holds the only way in: whatever fails, what it holds is an admin key
// that works, and the same line ends the rotation.

const errors = ['ENOSPC', 'EIO', 'EROFS']
const waits = [
  '--settle',
  '0s',
  '--probes',
  '1',
  '--idle',
  '0s',
  '--usage-lag',
  '0s',
  '--wait',
  '20s',
  '--json',
]
const env = { PICTIFY_ADMIN_KEY: undefined }

async function rotateOwn(sabotage: Sabotage | undefined, where: string) {
  const account = await openAccount()
  const { sandbox, home } = account
  try {
    const input = sandbox.adminKey.reveal()
    const signedIn = await home.run(['login', '--store', 'file', '--json'], { env, input })
    expect(signedIn.exit, signedIn.stderr).toBe(0)
    const own = sandbox.keys().find(({ access }) => access === 'admin')
    const args = ['rotate', own?.id ?? '', '--self', ...waits]
    const stored = async () => {
      const text = await readFile(path.join(home.directory, 'config', 'pictify-keys', 'config.json'), 'utf8')
      return sandbox.keys().find(({ secret }) => text.includes(secret.reveal()))
    }
    const ran = await runSabotaged(home, sabotage ?? {}, args, { env })
    expectToldWell(ran, where)
    expect((await stored())?.status, where).toBe('active')
    if (ran.exit !== 0) {
      const again = await home.run(args, { env })
      expect(again.exit, `${where}, then ${ran.stderr}\nrun again: ${again.stderr}`).toBe(0)
    }
    const admins = sandbox.keys().filter(({ access }) => access === 'admin')
    expect(admins.map(({ status }) => status).sort(), where).toEqual(['active', 'revoked'])
    expect(await stored(), where).toMatchObject({ status: 'active', name: own?.name })
    return ran
  } finally {
    await account.end()
  }
}

it('an admin key that is rotated is never lost to a disk that fails', async () => {
  const plain = await rotateOwn({ reads: true }, 'nothing fails')
  const all = stepsOf(plain.points)
  const ofProfile = all.filter(({ point }) => point.includes('/config'))
  expect(ofProfile.length).toBeGreaterThan(10)
  const counts = tally()
  const trials = ofProfile.flatMap((step): { step: Step; sabotage: Sabotage }[] => [
    { step, sabotage: { what: errors[step.nth % errors.length] ?? '' } },
    ...(/ (open|writeFile|rename|mkdir) /.test(step.point)
      ? [{ step, sabotage: { what: 'EIO', on: true } }]
      : []),
  ])
  const problems: string[] = []
  await pMap(
    trials,
    async ({ step, sabotage }) => {
      const where = `${sabotage.what} ${sabotage.on ? 'from' : 'at'} ${step.point} #${step.nth}`
      try {
        const { exit } = await rotateOwn(at(step, sabotage), where)
        counts.add(exit, { looks: 1, refused: 0 })
      } catch (error) {
        problems.push(error instanceof Error ? error.message : String(error))
      }
    },
    { concurrency: 3 },
  )
  expect(problems.join('\n\n')).toBe('')
  printFigures('the disk fails under the profile file (--self)', counts.totals(ofProfile.length))
})
