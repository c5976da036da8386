import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { printFigures } from '../figures.ts'
import {
  application,
  failWrites,
  fault,
  goOn,
  lagging,
  loseState,
  pass,
  start,
  type Command,
} from './model.ts'
import { replay, runModel } from './model-run.ts'
import type { Setting } from './world.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pictify-model-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

it.each(['alone', 'with people'] as const)(
  'holds in every order of what may happen, %s',
  async (mode) => {
    const runs = Number(process.env['MODEL_RUNS'] ?? 75)
    const figures = await runModel(folder, mode, runs)
    printFigures(`The model, ${mode}`, figures)
    expect(figures['keys minted']).toBeGreaterThan(runs / 5)
  },
  600_000,
)

const plain: Setting = {
  seed: 1,
  places: ['value'],
  propagationMs: 0,
  usageLagMs: 0,
  waitMs: 0,
  overlapMs: 0,
  oldSecret: false,
  auditLog: true,
  deleteOld: false,
  verify: false,
}

/** What the model found, as short as it can be told: where the line is run in the end, and what happened before. */
const found: [string, number, Partial<Setting>, Command[]][] = [
  [
    'undoing comes to its end though each line waits for less than the quiet time',
    0,
    {},
    [start(0, 'id', { failingVerify: true }, { point: 'after saving aborting' }, 'dies')],
  ],
  [
    'a run that was undoing, and whose key another machine rotated meanwhile, is over',
    1,
    {},
    [start(0, 'id', { failingVerify: true }, { point: 'after restoring value:0' }, 'dies')],
  ],
  [
    'an idle successor that a one-way target may hold stays until ours is in its place',
    0,
    { places: ['none'] },
    [start(0, 'id', {}, null, 'waits'), start(1, 'id', {}, null, 'waits')],
  ],
  [
    'a one-way target that another machine wrote to meanwhile gets our successor again',
    0,
    { places: ['none'] },
    [start(0, 'id', {}, null, 'waits'), start(1, 'id', {}, { point: 'after writing none:0' }, 'dies')],
  ],
  [
    'a run of which nothing is left, neither its key nor the old one, and that wrote nothing, is over',
    1,
    { places: ['none'] },
    [
      start(1, 'id', {}, { point: 'after saving minted' }, 'dies'),
      pass(1_500),
      start(0, 'id', {}, { point: 'after saving minted' }, 'dies'),
    ],
  ],
  [
    'a run whose stray came back to life, and won, is over',
    1,
    { places: ['none'] },
    [
      start(1, 'id', {}, { point: 'after saving minted' }, 'dies'),
      pass(1_500),
      start(0, 'id', {}, { point: 'after writing none:0' }, 'dies'),
    ],
  ],
  [
    'a run that died after the plain name was given is over when that key was rotated in its turn',
    1,
    { waitMs: 90_000 },
    [start(0, 'id', {}, { point: 'after PUT /api-keys/:id' }, 'dies')],
  ],
  [
    'a target that another machine put back meanwhile gets our successor again',
    0,
    { places: ['value', 'none'], oldSecret: true },
    [
      start(0, 'id', {}, { point: 'after saving overlapping' }, 'dies'),
      start(1, 'id', { takeOver: true, failingVerify: true }, null, 'waits'),
    ],
  ],
  [
    'what a target held is known again once another machine has put it back',
    0,
    {},
    [
      start(1, 'id', {}, { point: 'after saving overlapping' }, 'dies'),
      start(0, 'id', { takeOver: true }, { point: 'after saving minted' }, 'waits'),
      start(1, 'id', { abort: true, takeOver: true }, { point: 'after restoring value:0' }, 'waits'),
      goOn(0, null),
    ],
  ],
  [
    'of two lost successors, the one that the target holds is adopted',
    0,
    { places: ['value', 'none'] },
    [
      start(1, 'id', {}, { point: 'after POST /api-keys' }, 'dies'),
      fault('lag-list=5s'),
      loseState(1),
      start(2, 'id', {}, null, 'waits'),
      loseState(2),
    ],
  ],
  [
    'of two rotations of a key that was revoked first, one goes on and the other is over',
    0,
    {},
    [
      start(0, 'id', { compromised: 'revoke-first' }, { point: 'before POST /api-keys' }, 'waits'),
      start(1, 'id', {}, { point: 'after saving minted' }, 'waits'),
      goOn(0, { point: 'after saving minted' }),
    ],
  ],
  [
    'a run that revoked first, and died before its create, makes no second successor',
    0,
    { places: ['none'] },
    [start(1, 'id', { compromised: 'revoke-first' }, { point: 'after saving planned' }, 'dies')],
  ],
  [
    'a run that revoked first and failed is over when another machine has replaced its successor',
    1,
    { places: ['none'] },
    [start(0, 'id', { compromised: 'revoke-first', failingVerify: true, noEvidence: true }, null, 'waits')],
  ],
  [
    'a run that took the successor of another for the old key, and lost, is over',
    1,
    { places: ['value', 'none'], auditLog: false },
    [
      lagging('30s'),
      start(1, 'id', {}, null, 'waits'),
      start(0, 'id', {}, { point: 'after writing value:0' }, 'dies'),
    ],
  ],
  [
    'an application that uses a lost successor does not prove that a target holds it, where there is no audit log',
    1,
    { places: ['value', 'none'], auditLog: false },
    [
      lagging('30s'),
      start(2, 'id', {}, null, 'waits'),
      start(0, 'id', {}, { point: 'after saving accepted', nth: 3 }, 'dies'),
    ],
  ],
  [
    'what another machine wrote, that took the rotation over while it was about to be undone, is put back',
    0,
    { places: ['none', 'value', 'none'], waitMs: 90_000 },
    [
      failWrites(0, 'failed', 'failed', 'failed'),
      start(1, 'id', {}, { point: 'before saving accepted', nth: 13 }, 'waits'),
      start(0, 'id', { takeOver: true, failingVerify: true }, null, 'waits'),
      goOn(0, null),
    ],
  ],
  [
    'also what it wrote after that had been put back',
    0,
    { places: ['none', 'value', 'none'], waitMs: 90_000, oldSecret: true },
    [
      failWrites(0, 'failed', 'unclear', 'failed'),
      start(1, 'id', {}, { point: 'after restoring none:0' }, 'waits'),
      start(0, 'newest', { takeOver: true, failingVerify: true }, null, 'waits'),
      goOn(0, null),
    ],
  ],
  [
    'what another machine wrote, that took the rotation over while it was about to be undone, is put back, also where there is no audit log',
    0,
    { places: ['none', 'value', 'none'], waitMs: 90_000, auditLog: false },
    [
      failWrites(0, 'failed', 'failed', 'failed'),
      start(1, 'id', {}, { point: 'before saving accepted', nth: 13 }, 'waits'),
      start(0, 'id', { takeOver: true, failingVerify: true }, null, 'waits'),
      goOn(0, null),
    ],
  ],
  [
    'and what it wrote after that had been put back, where there is no audit log',
    0,
    { places: ['none', 'value', 'none'], waitMs: 90_000, auditLog: false, oldSecret: true },
    [
      failWrites(0, 'failed', 'unclear', 'failed'),
      start(1, 'id', {}, { point: 'after restoring none:0' }, 'waits'),
      start(0, 'newest', { takeOver: true, failingVerify: true }, null, 'waits'),
      goOn(0, null),
    ],
  ],
  [
    'an application that works with the old key is not refused',
    0,
    { waitMs: 90_000 },
    [application(0, 'works'), start(0, 'id', {}, null, 'waits')],
  ],
]

describe('what the model found once', () => {
  it.each(found)('%s', async (_what, first, setting, commands) => {
    const real = await replay(folder, { ...plain, ...setting }, first, commands)
    expect(real.figures['lines']).toBeGreaterThan(0)
  })
})
