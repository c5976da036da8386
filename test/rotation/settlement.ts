// The end of every run of the model: nothing goes wrong any more, and the line is run until all is settled.
import { parseMark } from '../../src/rotation/marked-name.ts'
import { isOver, type Journal } from '../../src/rotation/state.ts'
import { count, expectSound, lineage, Violation, type Real } from './model.ts'
import { startProcess, type Ending } from './process.ts'
import type { Machine } from './world.ts'

const attempts = 8

/** Lets all processes die and all faults end, runs the line to its end, and expects that nothing is left over. */
export async function settle(real: Real, first: number): Promise<void> {
  const { world } = real
  for (const process of real.processes) process.kill()
  count(real, 'crashes', real.processes.length)
  real.processes = []
  world.resetFaults()
  for (const place of world.places) place.failures = []
  for (const one of world.applications) Object.assign(one, { follows: true, busySince: Infinity })
  if (world.watch.meddled) makeRoom(real)
  // Past every lease: no machine has to be known to be dead.
  world.pass(3 * 3_600_000)

  const machines = world.machines.map((_, index, all) => all[(index + first) % all.length] as Machine)
  const endings: string[] = []
  // A line that another machine's open rotation holds up is run there too, and then here again.
  for (let round = 0; round < 2; round++) {
    const left = machines.filter((machine, index) => openOf(machine) || (index === 0 && round === 0))
    for (const machine of left) {
      const ending = await runUntilOver(real, machine, endings)
      if (ending === undefined) count(real, 'held up by another machine')
    }
  }
  if (machines.some(openOf)) {
    const { meddled, tookFromLiving } = world.watch
    // Without an audit log an application at work may keep a line from proving whose secret a target holds.
    const cannotTell = !world.setting.auditLog && endings.some((how) => how.includes('cannot tell whose'))
    if (!meddled && !tookFromLiving && !cannotTell)
      throw new Violation(`it is never over: ${endings.join(', ')}`)
    count(real, 'ended with a person')
    return
  }
  if (world.watch.meddled && !/: [068] /.test(endings.at(-1) ?? '') && active(real).some(isMarked)) {
    // What people put into a place may keep a line from telling whose it is: it says so, and names the key.
    count(real, 'ended with a person')
    return
  }
  expectSettled(real, endings)
}

async function runUntilOver(real: Real, machine: Machine, endings: string[]): Promise<Ending | undefined> {
  const { world } = real
  for (let attempt = 0; attempt < attempts; attempt++) {
    const wanted = openOf(machine)?.oldKey.id ?? meant(real)
    count(real, 'lines')
    const process = startProcess(world, machine, { wanted })
    await process.advance(null)
    const { ending } = process
    if (ending === undefined) throw new Error('it did not end')
    count(real, `exit ${ending.exit}`)
    endings.push(`${machine.name}: ${ending.exit} ${ending.code ?? ''} ${ending.error?.message ?? ''}`)
    expectSound(real)
    const isSettled = openOf(machine) === undefined && isClean(real)
    if (ending.exit === 0 || isSettled) return ending
    world.pass(10 * 60_000)
  }
  return undefined
}

function openOf({ files }: Machine): Journal | undefined {
  return [...files.values()].map((text) => JSON.parse(text) as Journal).find(({ state }) => !isOver(state))
}

const active = (real: Real) => lineage(real).filter(({ revokedAt }) => revokedAt === null)
const isMarked = ({ name }: { name: string }) => parseMark(name) !== undefined

function meant(real: Real): string {
  const keys = active(real)
  return (keys.find((key) => !isMarked(key)) ?? keys[0] ?? real.world.root).id
}

function isClean(real: Real): boolean {
  const keys = active(real)
  return keys.length === 1 && !keys.some(isMarked)
}

/** Of all keys there ever were one is left, without a mark, and all places hold it. */
function expectSettled(real: Real, endings: string[]): void {
  const { world } = real
  const { touched } = world.watch
  const left = active(real).filter(({ id }) => !touched.has(id))
  const marked = left.filter(isMarked)
  const how = endings.join(', ')
  if (marked.length > 0) {
    count(real, 'orphans', marked.length)
    throw new Violation(`${marked.map(({ id }) => id).join(', ')} left over after ${how}`)
  }
  if (world.watch.meddled) return
  const remains = lineage(real).filter((key) => key.revokedAt !== null && isMarked(key))
  if (remains.length > 0)
    throw new Violation(`${remains.map(({ id }) => id).join(', ')} revoked and not deleted after ${how}`)
  const [only] = left
  if (only === undefined || left.length > 1)
    throw new Violation(`${left.length} keys are active after ${how}`)
  for (const { name, value } of world.places) {
    if (value !== only.secret.reveal()) throw new Violation(`${name} does not hold ${only.id} after ${how}`)
  }
}

function makeRoom({ world }: Real): void {
  const { account } = world.api
  for (const key of [...account.keys.all()]) {
    if (key.name === 'Filler' && key.revokedAt === null) account.revoke(key.id)
  }
}
