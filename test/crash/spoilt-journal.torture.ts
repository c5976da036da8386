import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import pMap from 'p-map'
import { afterAll, describe, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import { errorOf } from '../cli/account.ts'
import {
  at,
  expectRotated,
  expectSafe,
  expectToldWell,
  line,
  openAttempt,
  type Attempt,
} from './broken-disk.ts'

// What a power cut, another version or a hand makes of a journal, at every state that a rotation can be left in: it is
// refused as it lies, with what to do; the old key works; and from the API and the targets alone it comes to its end.

const figures = { journals: 0, refused: 0, 'went on at once': 0, 'ended by --take-over': 0, orphans: 0 }
afterAll(() => printFigures('spoilt journals', figures))

const saves = { point: 'after rename ~/state/rotations/:id.json' }

async function journalOf({ home }: Attempt): Promise<string> {
  const folder = path.join(home.stateDir, 'rotations')
  const [name, ...others] = (await readdir(folder)).filter((file) => file.endsWith('.json'))
  expect(others).toEqual([])
  return path.join(folder, name ?? '')
}

/** Leaves a rotation as a power cut leaves it right after its n-th entry; false where it does not write so many. */
async function cutAfter(attempt: Attempt, nth: number): Promise<boolean> {
  const ran = await attempt.attempt(at({ ...saves, nth }, { what: 'SIGKILL', reads: false }))
  return ran.signal === 'SIGKILL'
}

type Spoil = (file: string, text: string) => Promise<void>
const write =
  (edit: (text: string) => string | Buffer): Spoil =>
  (file, text) =>
    writeFile(file, edit(text))

const spoils: Record<string, Spoil> = {
  'is empty': write(() => ''),
  'is half there': write((text) => text.slice(0, text.length / 2)),
  'misses a byte': write((text) => text.slice(0, -3)),
  'is all zeros': write((text) => Buffer.alloc(text.length)),
  'has its second half zeroed': write((text) => text.slice(0, text.length / 2).padEnd(text.length, '\0')),
  'has something behind it': write((text) => `${text}{"version":1}`),
  'is of a newer version': write((text) => text.replace('"version":1', '"version":2')),
  'had a field changed by hand': write((text) => text.replace(/"state":"\w+"/, '"state":"verified"')),
  'is of another key, sum and all': write((text) => {
    const { rotation } = JSON.parse(text) as { rotation: { oldKey: { id: string } } }
    rotation.oldKey.id = 'key_another'
    const json = JSON.stringify(rotation)
    const checksum = createHash('sha256').update(json).digest('hex')
    return JSON.stringify({ version: 1, checksum, rotation })
  }),
  'is a folder': async (file) => {
    await rm(file)
    await mkdir(file)
  },
  'is a pipe': async (file) => {
    await rm(file)
    execFileSync('mkfifo', [file])
  },
  'is a link': async (file) => {
    await rename(file, `${file}.real`)
    await symlink(`${file}.real`, file)
  },
  'is of 100 MB': async (file) => {
    await truncate(file, 100 * 1024 * 1024)
  },
}

/** Every line that reads journals says what is wrong, and touches nothing. */
async function refused(attempt: Attempt, where: string): Promise<void> {
  const { sandbox } = attempt
  const state = async () => [
    sandbox.keys().map(({ id, name, status }) => ({ id, name, status })),
    await attempt.read('.env'),
  ]
  const before = await state()
  const lines = [line, ['rotate', '--resume', '--json'], ['rotate', '--abort', '--json']]
  const posts = sandbox.requests.filter(({ method }) => method !== 'GET').length
  for (const args of lines) {
    const ran = await attempt.attempt(undefined, args)
    expectToldWell(ran, where)
    expect(errorOf(ran), `${where}: ${args.join(' ')}`).toMatchObject({ code: 'journal-unreadable' })
  }
  const listed = await attempt.attempt(undefined, ['rotations', '--json'])
  expect(listed.exit, where).toBe(0)
  expect(listed.stderr, where).toMatch(
    /cannot be read|is torn|was changed|of version|of another|not a journal/,
  )
  expect(sandbox.requests.filter(({ method }) => method !== 'GET').length, where).toBe(posts)
  expect(await state(), where).toEqual(before)
  await expectSafe(attempt, where)
}

async function spoilAndGoOn(nth: number, [what, spoil]: [string, Spoil]): Promise<void> {
  const where = `after entry ${nth} the journal ${what}`
  const attempt = await openAttempt()
  try {
    if (!(await cutAfter(attempt, nth))) return
    const file = await journalOf(attempt)
    const text = await readFile(file, 'utf8')
    // Once it is over there are no more states for a hand to change it to.
    if (text.includes('"state":"done"')) return
    await spoil(file, text)
    const isFile = !/folder|pipe|link|MB/.test(what)
    const bytes = isFile ? await readFile(file) : undefined
    await refused(attempt, where)
    if (bytes) expect((await readFile(file)).equals(bytes), where).toBe(true)
    const ran = await attempt.attempt(undefined, [...line, '--take-over'])
    expect(ran.exit, `${where}: ${ran.stderr}`).toBe(0)
    await rm(`${file}.real`, { force: true })
    await expectRotated(attempt, where)
    expect(attempt.looks().refused, where).toBe(0)
    figures.journals += 1
    figures.refused += 1
    figures['ended by --take-over'] += 1
  } finally {
    await attempt.end()
  }
}

/** An entry that a power cut took back: the journal is as it was some entries ago, which it cannot know. */
async function takeBack(nth: number, later: number): Promise<void> {
  const where = `entry ${nth} after ${later} more`
  const attempt = await openAttempt()
  try {
    if (!(await cutAfter(attempt, nth))) return
    const file = await journalOf(attempt)
    const text = await readFile(file)
    if (!(await cutAfter(attempt, later))) return
    await writeFile(file, text)
    const ran = await attempt.attempt()
    expectToldWell(ran, where)
    await expectSafe(attempt, where)
    figures.journals += 1
    if (ran.exit === 0) figures['went on at once'] += 1
    else {
      figures.refused += 1
      const again = await attempt.attempt(undefined, [...line, '--take-over'])
      expect(again.exit, `${where}: ${ran.stderr}${again.stderr}`).toBe(0)
      figures['ended by --take-over'] += 1
    }
    await expectRotated(attempt, where)
    expect(attempt.looks().refused, where).toBe(0)
  } finally {
    await attempt.end()
  }
}

async function all(trials: (() => Promise<void>)[]): Promise<void> {
  const problems: string[] = []
  const run = (trial: () => Promise<void>) =>
    trial().catch(
      (error: unknown) => void problems.push(error instanceof Error ? error.message : String(error)),
    )
  await pMap(trials, run, { concurrency: 3 })
  expect(problems.join('\n\n')).toBe('')
}

describe('a journal that is not as it was written', () => {
  it('is refused, and the rotation ends without it', async () => {
    const kinds = Object.entries(spoils)
    // Each kind at some states, each state with some kinds: 17 entries, 13 kinds.
    const trials = Array.from({ length: 26 }, (_, index) => {
      const kind = kinds[index % kinds.length]
      return () => (kind ? spoilAndGoOn(1 + ((index * 5) % 17), kind) : Promise.resolve())
    })
    await all(trials)
    expect(figures.refused).toBeGreaterThan(20)
  })

  it('but as it was some entries ago leads to the same end', async () => {
    const trials = Array.from({ length: 15 }, (_, index) => () => takeBack(index + 1, 1 + (index % 4)))
    await all(trials)
    expect(figures['went on at once']).toBeGreaterThan(3)
  })
})
