import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import pMap from 'p-map'
import { describe, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { filesUnder, modeOf } from './files.ts'
import { env, stories, verbosities, waits, type Session } from './secret-stories.ts'
import { masksIn, watch, type Watched, type WatchedRun } from './watched.ts'

// Every way a rotation goes and every command, at every verbosity, and a rotation killed at every point: no secret is
// where it should not be, whole or in part.

/** Two processes run side by side, and mostly wait. */
const atOnce = { concurrency: 3 }

describe('no part of a secret is where it should not be', () => {
  const tally = { runs: 0, characters: 0, files: 0, children: 0 }

  it.each(Object.entries(stories))('%s, at every verbosity', async (_, story) => {
    await pMap(
      Object.entries(verbosities),
      async ([name, { flags, env: variables }]) => {
        const watched = await watch()
        const run: Session['run'] = async (exit, line, options = {}) => {
          const ran = await watched.run([...line, ...flags], {
            ...options,
            env: { ...variables, ...options.env },
          })
          expect(ran.exit ?? ran.signal, `${name}: ${line.join(' ')}: ${ran.stderr}`).toBe(exit)
          expect(await watched.leaks(ran, options), `${name}: ${line.join(' ')}`).toEqual([])
          expectMasks(watched, ran, variables['GITHUB_ACTIONS'] === 'true')
          return ran
        }
        try {
          await story({ watched, run })
        } finally {
          await watched.end()
        }
        for (const key of ['runs', 'characters', 'files', 'children'] as const)
          tally[key] += watched.seen[key]
      },
      atOnce,
    )
  })

  it('in all of them together', () => {
    expect(tally.children).toBeGreaterThan(50)
    printFigures('secrets: every story at every verbosity', {
      stories: Object.keys(stories).length,
      verbosities: Object.keys(verbosities).length,
      runs: tally.runs,
      'characters printed': tally.characters,
      'files read': tally.files,
      'children seen': tally.children,
      leaks: 0,
    })
  })
})

/** Elsewhere there are none; there, no value twice, and all of them secrets. */
function expectMasks(watched: Watched, { stderr }: WatchedRun, isActions: boolean): void {
  const masks = masksIn(stderr)
  if (!isActions) expect(masks).toEqual([])
  expect(new Set(masks).size).toBe(masks.length)
  const secrets = watched.secrets().map((secret) => secret.reveal())
  for (const mask of masks) expect(secrets).toContain(mask)
}

describe('a rotation killed at every point', () => {
  it('leaves no part of a secret but beside its target, as private as that, and the next run sweeps it', async () => {
    const counting = await watch()
    const line = (watched: Watched) => [
      'rotate',
      watched.old.id,
      ...env,
      '--verify',
      'true',
      '--json',
      ...waits,
    ]
    const { points, exit } = await counting.run(line(counting), { killAt: 0 })
    await counting.end()
    expect(exit).toBe(0)
    expect(points.length).toBeGreaterThan(50)

    let leftovers = 0
    let files = 0
    let killed = 0
    await pMap(
      points.keys(),
      async (index) => {
        const watched = await watch()
        try {
          const ran = await watched.run(line(watched), { killAt: index + 1 })
          if (ran.signal === 'SIGKILL') killed += 1
          const beside = filesUnder(watched.home.directory).filter((file) => file.startsWith('.env.'))
          expect(await watched.leaks(ran, { files: beside }), ran.points.at(-1)).toEqual([])
          files += watched.seen.files
          for (const file of beside) expect(await modeOf(path.join(watched.home.directory, file))).toBe('600')
          if (beside.length === 0) return
          leftovers += 1
          const again = await watched.run(line(watched))
          expect(again.exit, again.stderr).toBe(0)
          expect(await watched.leaks(again), ran.points.at(-1)).toEqual([])
        } finally {
          await watched.end()
        }
      },
      atOnce,
    )
    expect(leftovers).toBeGreaterThan(0)
    printFigures('secrets: a rotation killed at every point', {
      points: points.length,
      killed,
      'files read': files,
      'left beside the target, and swept': leftovers,
      leaks: 0,
    })
  })
})

it('a command that says a hundred megabytes is masked in little memory', async () => {
  const watched = await watch()
  const highest = 'sed -n "s/^VmHWM:[^0-9]*//p" /proc/$PPID/status >&2'
  const say =
    'head -c 80000000 /dev/zero | tr "\\0" x; echo; yes "the key is $PICTIFY_API_KEY" | head -c 20000000'
  const line = ['rotate', watched.old.id, ...env, ...waits, '--verify', `${say}; ${highest}`]
  const ran = await watched.run(line)
  expect(ran.exit, ran.stderr.slice(-500)).toBe(0)
  const [, kilobytes = ''] = /^\S+Z {4}(\d+) kB$/m.exec(ran.stderr) ?? []
  const { stdout, stderr, ...rest } = ran
  const beginning = { ...rest, stdout, stderr: stderr.slice(0, 100_000) + stderr.slice(-100_000) }
  expect(await watched.leaks(beginning)).toEqual([])
  expect(stderr).not.toContain(watched.sandbox.keys()[0]?.secret.reveal().slice(8, 16))
  expect(Number(kilobytes)).toBeGreaterThan(10_000)
  expect(Number(kilobytes)).toBeLessThan(400_000)
  printFigures('secrets: a verify command that says 100 MB', {
    'peak memory, MB': Math.round(Number(kilobytes) / 1_000),
  })
  await watched.end()
})

it('a value that is no key, in a target, masks nothing', async () => {
  const watched = await watch()
  await writeFile(path.join(watched.home.directory, '.env'), 'PICTIFY_API_KEY=true\n')
  const ran = await watched.run(['rotate', watched.old.id, ...env, ...waits], {
    env: { GITHUB_ACTIONS: 'true' },
  })
  expect(masksIn(ran.stderr)).not.toContain('true')
  await watched.end()
})
