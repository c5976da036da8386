import { fc } from '../property.ts'
import * as model from './model.ts'
import type { Setting } from './world.ts'

export const settings: fc.Arbitrary<Setting> = fc.record({
  seed: fc.integer({ min: 1, max: 1_000 }),
  places: fc.oneof(
    { weight: 4, arbitrary: fc.constant<Setting['places']>(['value']) },
    { weight: 2, arbitrary: fc.constant<Setting['places']>(['value', 'value']) },
    { weight: 2, arbitrary: fc.constant<Setting['places']>(['value', 'none']) },
    { weight: 1, arbitrary: fc.constant<Setting['places']>(['none']) },
    { weight: 1, arbitrary: fc.constant<Setting['places']>(['none', 'value', 'none']) },
  ),
  propagationMs: fc.constantFrom(0, 2_000),
  usageLagMs: fc.constantFrom(0, 20_000),
  waitMs: fc.constantFrom(0, 90_000),
  overlapMs: fc.constantFrom(0, 0, 60_000),
  oldSecret: fc.boolean(),
  auditLog: fc.constantFrom(true, true, false),
  deleteOld: fc.boolean(),
  verify: fc.boolean(),
})

const index = fc.nat(2)
const points = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 120 }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 400 }) },
  { weight: 1, arbitrary: fc.constant(null) },
)
const wanted = fc.constantFrom<model.Wanted>('id', 'id', 'name', 'newest')

const some = <T>(value: T) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constant(value) })
const flags = fc
  .record({
    takeOver: fc.oneof(
      { weight: 2, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constant(true) },
    ),
    abort: some(true),
    noEvidence: some(true),
    failingVerify: some(true),
    compromised: fc.oneof(
      { weight: 9, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: fc.constantFrom('no-overlap' as const, 'revoke-first' as const) },
    ),
  })
  .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)))

const when = fc.oneof(
  fc.integer({ min: 1, max: 12 }).map((n) => `@${n}`),
  fc.constant(''),
  fc.constantFrom('@5%', '@20%'),
)
const faults = fc
  .tuple(
    fc.constantFrom(
      ...['lose-answer', 'cut', 'cut-body', 'stall', 'slow=3s', 'status-500', 'status-503', 'status-429=2s'],
      ...[
        'status-429-bare',
        'html',
        'bare',
        'plain-errors',
        'refuse',
        'clock+10m',
        'clock-10m',
        'list-under=data',
      ],
    ),
    fc.constantFrom(
      '',
      ':POST /api-keys$',
      ':GET /api-keys$',
      ':* /api-keys/*',
      ':GET /templates',
      ':GET /audit-logs',
      ':GET /api-keys/*/usage',
    ),
    when,
  )
  .map(([what, where, at]) => what + where + at)
const mintFaults = fc
  .tuple(
    fc.constantFrom(
      'other-secret-name=token',
      'mystery-shape',
      'ignore-idempotency',
      'lag-list=5s',
      'lag-list=30s',
    ),
    fc.constantFrom('', '@1', '@2+'),
  )
  .map(([what, at]) => what + at)

const byMachines = [
  fc
    .tuple(index, wanted, flags, points, fc.constantFrom('waits' as const, 'dies' as const))
    .map((args) => model.start(...args)),
  fc
    .tuple(index, wanted, fc.constant({}), points, fc.constantFrom('waits' as const, 'dies' as const))
    .map((args) => model.start(...args)),
  fc.tuple(index, points).map((args) => model.goOn(...args)),
  fc.tuple(index, points).map((args) => model.goOn(...args)),
  index.map((n) => model.kill(n)),
  fc.tuple(index, points).map((args) => model.interrupt(...args)),
]
const byTheWorld = [
  index.map((machine) => model.loseState(machine)),
  fc.constantFrom(0.5, 2, 10, 45, 120, 1_500).map((minutes) => model.pass(minutes)),
  fc.oneof(faults, mintFaults).map((spec) => model.fault(spec)),
  fc.constant(null).map(() => model.calm()),
  fc
    .tuple(
      index,
      fc.array(fc.constantFrom('failed' as const, 'unclear' as const, 'unclear, written' as const), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([place, failures]) => model.failWrites(place, ...failures)),
  fc
    .tuple(index, fc.constantFrom('works' as const, 'pauses' as const, 'reads' as const))
    .map((args) => model.application(...args)),
  fc
    .tuple(index, fc.constantFrom('works' as const, 'reads' as const))
    .map((args) => model.application(...args)),
]
const byPeople = [
  fc
    .tuple(fc.constantFrom('renames' as const, 'revokes' as const, 'deletes' as const), fc.nat(1))
    .map((args) => model.dashboard(...args)),
  fc.constantFrom('namesake' as const, 'plan full' as const).map((what) => model.createKeys(what)),
  fc
    .tuple(index, fc.constantFrom('old' as const, 'newest' as const, 'rubbish' as const, 'nothing' as const))
    .map((args) => model.edit(...args)),
]

/** Everything but people: what a rotation must get over by itself, whatever it is. */
export const withoutPeople = [...byMachines, ...byMachines, ...byTheWorld]
export const withPeople = [...byMachines, ...byMachines, ...byTheWorld, ...byPeople]
