// One key in six places of six kinds, each with an application that uses it all the while.
import { rm } from 'node:fs/promises'
import pMap from 'p-map'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Ran } from '../cli/program.ts'
import { printFigures } from '../figures.ts'
import { fc } from '../property.ts'
import { startSixServers, type Facts, type SixServers } from './six-places.ts'
import { openSixRound, type SixRound } from './six-round.ts'

const facts = inject('servers') as Partial<Facts>
const isWhole = Boolean(facts.aws && facts.vault && facts.kubernetes)
/** How many kills are drawn; SIX_KILLS=<n> draws more. */
const kills = Number(process.env['SIX_KILLS'] ?? 12)

describe.skipIf(!isWhole)('six targets of six kinds', () => {
  let servers: SixServers
  let round: SixRound | undefined
  beforeAll(async () => {
    servers = await startSixServers(facts as Facts)
  })
  afterAll(() => servers?.close())
  afterEach(async () => {
    await round?.end()
    round = undefined
  })

  const said = ({ stderr, stdout }: Ran) => `${stdout}${stderr}`.slice(-1500)
  const errorOf = ({ stderr }: Ran) =>
    (JSON.parse(stderr.trimEnd().split('\n').at(-1) ?? '') as { error: { message: string; hint: string } })
      .error

  /** What is not as it must be once the rotation is done. */
  async function wrongsWhenDone(of: SixRound, runs: readonly Ran[]): Promise<string[]> {
    const [key, ...others] = of.active()
    const held = await of.held()
    return [
      ...(key === undefined || key.id === of.old.id ? ['the successor is not active'] : []),
      ...others.map(({ id, name }) => `${id} is left: ${name}`),
      ...(key?.name === of.old.name ? [] : [`it is called ${key?.name}`]),
      ...Object.entries(held).flatMap(([spec, value]) =>
        value === key?.secret.reveal() ? [] : [`${spec} does not hold it`],
      ),
      ...of.refusals().map((refusal) => `refused: ${refusal}`),
      ...(await of.wrongs(runs)),
    ]
  }

  test('all of them get the successor, and nobody is refused', async () => {
    round = await openSixRound(servers, ['--debug'])
    const ran = await round.start().ended
    expect(ran.exit, said(ran)).toBe(0)
    expect(await wrongsWhenDone(round, [ran])).toEqual([])
    expect(round.calls()).toBeGreaterThan(100)
  })

  test('killed at any point, by the same line it is done, here or on another machine', async () => {
    const counting = await openSixRound(servers)
    let points: number
    try {
      const ran = await counting.start({ strikeAt: 1_000_000 }).ended
      expect(ran.exit, said(ran)).toBe(0)
      points = (await counting.points()).length
    } finally {
      await counting.end()
    }
    const drawn = fc.sample(fc.tuple(fc.integer({ min: 1, max: points }), fc.boolean()), kills)
    const outcomes = await pMap(drawn, ([at, moves]) => killAt(at, moves), { concurrency: 2 })
    printFigures('One key in six places of six kinds, killed', {
      points,
      kills: outcomes.filter(({ struck }) => struck).length,
      'on another machine': drawn.filter(([, moves]) => moves).length,
      requests: outcomes.reduce((sum, { calls }) => sum + calls, 0),
      wrong: outcomes.flatMap(({ wrongs }) => wrongs).length,
    })
    expect(outcomes.flatMap(({ where, wrongs }) => wrongs.map((wrong) => `${where}: ${wrong}`))).toEqual([])
    expect(outcomes.filter(({ struck }) => struck).length).toBeGreaterThanOrEqual(kills / 2)
  }, 900_000)

  async function killAt(at: number, moves: boolean) {
    const own = await openSixRound(servers)
    try {
      const runs = [await own.start({ strikeAt: at }).ended]
      const passed = await own.points()
      const where = `${at}${moves ? ', then another machine' : ''}, ${passed.at(-1)}`
      // Killed after its last change of the account, and with a target that cannot be read, nothing shows that it is done.
      const isOver = own.active().every(({ id, name }) => id !== own.old.id && name === own.old.name)
      const wanted = moves && isOver ? 1 : 0
      if (moves) await rm(own.home.stateDir, { recursive: true, force: true })
      const more = moves ? ['--take-over'] : []
      // it waits for evidence, or for a stray to be quiet
      for (let attempt = 1; attempt <= 5 && runs.at(-1)?.exit !== wanted; attempt++) {
        runs.push(await own.start({ more }).ended)
      }
      const last = runs.at(-1)
      const wrongs = last?.exit === wanted ? [] : [`it ended with ${last?.exit}: ${last && said(last)}`]
      wrongs.push(...(await wrongsWhenDone(own, runs)))
      return { where, wrongs, struck: runs[0]?.signal === 'SIGKILL', calls: own.calls() }
    } finally {
      await own.end()
    }
  }

  describe('the fourth is down', () => {
    test('exit 6, and all six hold the old value', async () => {
      round = await openSixRound(servers)
      const { six, old } = round
      let mend = async () => {}
      six.atNextVaultWrite(async () => {
        mend = await six.takeDown(3)
      })
      const ran = await round.start().ended
      await mend()
      expect(ran.exit, said(ran)).toBe(6)
      expect(errorOf(ran).message).toContain(six.places[3]?.spec)
      expect(await round.held()).toEqual(round.all(old.secret.reveal()))
      expect(round.active().map(({ id }) => id)).toEqual([old.id])
      expect(round.minted()).toEqual([])
      expect(round.refusals()).toEqual([])
      expect(await round.wrongs([ran])).toEqual([])
      // and mended, the same line does it
      const again = await round.start().ended
      expect(again.exit, said(again)).toBe(0)
      expect(await wrongsWhenDone(round, [ran, again])).toEqual([])
    })

    test('and so is the second by the time it is undone: exit 7 names that one, and the command that mends it', async () => {
      round = await openSixRound(servers)
      const { six, old } = round
      let mendSecond = async () => {}
      let isDown: Promise<void> | undefined
      const mendFourth = await six.refuseKubernetesWrites(() => {
        isDown ??= six.takeDown(1).then((mend) => void (mendSecond = mend))
      })
      const ran = await round.start().ended
      await isDown
      expect(ran.exit, said(ran)).toBe(7)
      const { message, hint } = errorOf(ran)
      expect(message).toContain(six.places[1]?.spec)
      for (const index of [0, 2, 3, 4, 5]) {
        expect(message.split('could not put the old value back')[1]).not.toContain(six.places[index]?.spec)
      }
      const held = await round.held()
      const second = six.places[1]?.spec ?? ''
      expect({ ...held, [second]: old.secret.reveal() }).toEqual(round.all(old.secret.reveal()))
      expect(round.active()).toHaveLength(2)
      await mendSecond()
      await mendFourth()
      const command = /pictify-keys (rotate \w+ --abort)/.exec(hint)?.[1]?.split(' ') ?? []
      const mended = await round.run([...command, '--json'])
      expect(mended.exit, said(mended)).toBe(0)
      expect(await round.held()).toEqual(round.all(old.secret.reveal()))
      expect(round.active().map(({ id }) => id)).toEqual([old.id])
      expect(round.refusals()).toEqual([])
      expect(await round.wrongs([ran, mended])).toEqual([])
    })
  })

  test('somebody else writes to one of them meanwhile: theirs stays, and the rest is undone', async () => {
    round = await openSixRound(servers)
    const { six, old, sandbox } = round
    const theirs = sandbox.dashboard.create({ name: 'Theirs', createdAt: Date.now() - 86_400_000 })
    const place = six.places[2]
    six.atNextVaultWrite(async () => {
      await place?.put(theirs.secret.reveal())
    })
    const ran = await round.start().ended
    expect(ran.exit, said(ran)).toBe(6)
    expect(errorOf(ran).message).toContain(`${place?.spec}: it holds another value by now`)
    expect(await round.held()).toEqual({
      ...round.all(old.secret.reveal()),
      [place?.spec ?? '']: theirs.secret.reveal(),
    })
    expect(
      round
        .active()
        .map(({ id }) => id)
        .sort(),
    ).toEqual([old.id, theirs.id].sort())
    expect(round.refusals()).toEqual([])
    expect(await round.wrongs([ran])).toEqual([])
  })
})
