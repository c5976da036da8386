// The model: what may happen around a rotation, in any order, and what must hold whatever did.
import type { AsyncCommand } from 'fast-check'
import { open } from '../../src/rotation/escrow.ts'
import { parseMark } from '../../src/rotation/marked-name.ts'
import { isOver, type Journal } from '../../src/rotation/state.ts'
import type { KeyRecord } from '../../src/sandbox/keys.ts'
import { startProcess, type Line, type Points, type Process } from './process.ts'
import { refused, validity } from './watch.ts'
import type { World } from './world.ts'

/** The little that decides which commands make sense: how many processes are under way. */
export interface Model {
  running: number
}

export interface Real {
  world: World
  processes: Process[]
  figures: Record<string, number>
}

type Act = (real: Real) => void | Promise<void>

/** A command of the model. `words` is how a failure tells it, and how a regression test writes it down. */
class Command implements AsyncCommand<Model, Real> {
  readonly words: string
  readonly kind: string
  readonly act: Act
  constructor(kind: string, words: string, act: Act) {
    this.kind = kind
    this.words = words
    this.act = act
  }
  check(): boolean {
    return true
  }
  async run(model: Model, real: Real): Promise<void> {
    count(real, this.kind)
    await this.act(real)
    model.running = real.processes.length
    expectSound(real)
  }
  toString(): string {
    return this.words
  }
}

export type { Command }

export function count({ figures }: Real, what: string, by = 1): void {
  figures[what] = (figures[what] ?? 0) + by
}

const command = (kind: string, call: string, args: readonly unknown[], act: Act) =>
  new Command(kind, `${call}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`, act)

const live = ({ processes }: Real) => processes.filter(({ ending }) => ending === undefined)
const pick = <T>(list: readonly T[], index: number): T | undefined => list[index % (list.length || 1)]

/** The keys this rotation is, or was, about: the first old key and all that rotations made, oldest first. */
export function lineage({ world }: Real): KeyRecord[] {
  const { minted } = world.watch
  return world.api.account.keys.all().filter(({ id }) => id === world.root.id || minted.has(id))
}
const activeOf = (real: Real) => lineage(real).filter(({ revokedAt }) => revokedAt === null)
const journalsOf = (files: ReadonlyMap<string, string>) =>
  [...files.values()].map((text) => JSON.parse(text) as Journal)

/** Which key a line names: the first old one by id or name, or whatever is in use now. */
export type Wanted = 'id' | 'name' | 'newest'

function wantedOf(real: Real, wanted: Wanted): string {
  if (wanted === 'name') return 'Production Server'
  return wanted === 'id' ? real.world.root.id : (activeOf(real).at(-1)?.id ?? real.world.root.id)
}

type LineFlags = Omit<Line, 'wanted'>

/** Starts a line on a machine and lets it pass some points; then it waits, or dies, or (Infinity) ends. */
export const start = (
  machine: number,
  wanted: Wanted,
  flags: LineFlags,
  points: Points,
  then: 'waits' | 'dies',
) =>
  command('lines', 'start', [machine, wanted, flags, points, then], async (real) => {
    const at = pick(real.world.machines, machine)
    if (at === undefined) return
    const line = { wanted: wantedOf(real, wanted), ...flags }
    if (line.takeOver && real.processes.length > 0) real.world.watch.tookFromLiving = true
    const process = startProcess(real.world, at, line)
    real.processes.push(process)
    await advance(real, process, points)
    if (then === 'dies') die(real, process)
  })

/** Lets a process that waits pass some more points. */
export const goOn = (index: number, points: Points) =>
  command('steps', 'goOn', [index, points], async (real) => {
    const process = pick(live(real), index)
    if (process) await advance(real, process, points)
  })

export const kill = (index: number) =>
  command('kills', 'kill', [index], (real) => {
    const process = pick(live(real), index)
    if (process) die(real, process)
  })

export const interrupt = (index: number, points: Points) =>
  command('interruptions', 'interrupt', [index, points], async (real) => {
    const process = pick(live(real), index)
    process?.interrupt()
    if (process) await advance(real, process, points)
  })

export const loseState = (machine: number) =>
  command('state directories lost', 'loseState', [machine], ({ world, processes }) => {
    const at = pick(world.machines, machine)
    if (at === undefined || processes.some((process) => process.machine === at)) return
    if (journalsOf(at.files).some(({ state }) => !isOver(state))) world.watch.losesState = true
    at.files.clear()
  })

export const pass = (minutes: number) =>
  command('waits', 'pass', [minutes], ({ world }) => world.pass(minutes * 60_000))

export const fault = (spec: string) =>
  command('faults', 'fault', [spec], ({ world }) => {
    // Not promised: where lists lag and there is no audit log, nothing tells a rival's successor in a target from the old key.
    if (spec.startsWith('lag-list') && !world.setting.auditLog) return
    world.api.addFault(spec)
  })

/** Lists that lag, whatever else there is or is not. */
export const lagging = (time: string) =>
  command('faults', 'lagging', [time], ({ world }) => world.api.addFault(`lag-list=${time}`))

export const calm = () => command('faults cleared', 'calm', [], ({ world }) => world.resetFaults())

export const failWrites = (place: number, ...failures: ('failed' | 'unclear' | 'unclear, written')[]) =>
  command('target failures', 'failWrites', [place, ...failures], ({ world }) => {
    pick(world.places, place)?.failures.push(...failures)
  })

export const application = (index: number, does: 'works' | 'pauses' | 'reads') =>
  command('applications', 'application', [index, does], ({ world }) => {
    const one = pick(world.applications, index)
    if (one === undefined) return
    if (does === 'reads') one.held = one.place.value
    if (does === 'pauses') one.busySince = undefined
    else if (does === 'works' || one.busySince !== undefined) one.busySince = world.now()
    if (does === 'works') world.call(one)
  })

/** Somebody in the dashboard. `which` counts the lineage's keys from the newest. */
export const dashboard = (does: 'renames' | 'revokes' | 'deletes', which: number) =>
  command('foreign actions', 'dashboard', [does, which], (real) => {
    const { world } = real
    const key = lineage(real).at(-1 - (which % lineage(real).length))
    if (key === undefined) return
    world.watch.touched.add(key.id)
    world.watch.meddled = true
    if (does === 'renames') world.api.account.rename(key.id, 'Renamed by hand')
    else world.api.account.revoke(key.id)
    if (does === 'deletes') world.api.account.delete(key.id)
  })

/** Somebody makes a key of the same name, or so many that the plan is full. */
export const createKeys = (what: 'namesake' | 'plan full') =>
  command('foreign actions', 'createKeys', [what], ({ world }) => {
    const { account } = world.api
    world.watch.meddled = true
    const name = what === 'namesake' ? 'Production Server' : 'Filler'
    const room = 10 - account.keys.active('live')
    for (let left = Math.min(room, what === 'namesake' ? 1 : Infinity); left > 0; left--) {
      account.create({ name, type: 'live', access: 'full' }, { createdAt: world.now() - 86_400_000 })
    }
  })

/** Somebody edits a place by hand. */
export const edit = (place: number, to: 'old' | 'newest' | 'rubbish' | 'nothing') =>
  command('foreign actions', 'edit', [place, to], (real) => {
    const one = pick(real.world.places, place)
    if (one === undefined) return
    const { root } = real.world
    const newest = activeOf(real).at(-1) ?? root
    const values = { old: root.secret.reveal(), newest: newest.secret.reveal(), rubbish: 'pk_live_rubbish' }
    one.value = to === 'nothing' ? undefined : values[to]
    one.editedAt = real.world.now()
    real.world.watch.meddled = true
  })

async function advance(real: Real, process: Process, points: Points): Promise<void> {
  await process.advance(points)
  if (process.ending === undefined) return
  real.processes = real.processes.filter((other) => other !== process)
  count(real, `exit ${process.ending.exit}`)
  expectDocumented(process)
}

function die(real: Real, process: Process): void {
  if (process.ending !== undefined) return
  process.kill()
  real.processes = real.processes.filter((other) => other !== process)
  count(real, 'crashes')
}

/** An invariant that does not hold. */
export class Violation extends Error {}

function expectDocumented({ ending, line, machine }: Process): void {
  const where = `${machine.name} ${JSON.stringify(line)}`
  if (ending?.code === 'internal') throw new Violation(`${where} ended with ${ending.error?.stack}`)
}

/** What holds at every instant. */
export function expectSound(real: Real): void {
  const { world } = real
  const applications = world.applications.flatMap((one) => (world.watch.meddled ? [] : refused(world, one)))
  const wrong = [...world.watch.violations, ...validity(world), ...unescrowed(real), ...applications]
  const room = 3 + real.processes.length + (real.figures['crashes'] ?? 0)
  const count = activeOf(real).length
  if (count > room) wrong.push(`${count} keys of one rotation are active`)
  if (wrong.length > 0) throw new Violation(wrong.join('\n'))
}

/** A successor that some place holds and another does not yet is in escrow, while its machine has a disk. */
function unescrowed(real: Real): string[] {
  const { places, watch, machines, admin } = real.world
  if (watch.losesState || watch.meddled) return []
  const marked = activeOf(real).filter(({ name }) => parseMark(name) !== undefined)
  return marked.flatMap(({ id, secret }) => {
    const holding = places.filter(({ value }) => value === secret.reveal()).length
    if (holding === 0 || holding === places.length) return []
    const isKept = machines.some(({ files }) =>
      journalsOf(files).some(
        (journal) =>
          journal.escrow !== undefined &&
          open(journal.escrow, journal.id, admin).successor?.equals(secret) === true,
      ),
    )
    return isKept ? [] : [`${id} is in a target, and not in escrow`]
  })
}
