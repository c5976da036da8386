import type { RotationEvent } from '../../src/rotation/run.ts'
import type { Evidence } from '../../src/rotation/state.ts'
import { after, boardAt, type BoardState } from '../../src/ui/board-state.ts'

/** When the rotation of these tests began. Unix ms. */
export const beganAt = Date.parse('2026-11-21T16:40:00Z')
const at = (seconds: number) => new Date(beganAt + seconds * 1_000).toISOString()

const evidence: Evidence = {
  checkedAt: at(60),
  waived: false,
  overlapOver: true,
  oldKeyIdle: false,
  oldKeyLastUsedAt: at(-70),
  usageUpdatedAt: at(-30),
  successorUsed: true,
  successorLastUsedAt: at(59),
  successorUseRequired: false,
}
const [env, cluster] = ['env:.env#PICTIFY_API_KEY', 'k8s:shop/pictify#api-key']

/** A rotation to two places, by the second in which each thing happened. */
export const story: [seconds: number, event: RotationEvent][] = [
  [0, { event: 'step', step: 'plan' }],
  [
    1,
    {
      event: 'rotation',
      rotation: '3f7a9c',
      state: 'planned',
      oldKey: { id: 'key_abc123', name: 'Production Server' },
      newKey: null,
      targets: [
        { name: env, state: 'pending' },
        { name: cluster, state: 'pending' },
      ],
      revokeFirst: false,
    },
  ],
  [1, { event: 'step', step: 'mint' }],
  [2, { event: 'state', state: 'minted', newKey: 'key_def456' }],
  [2, { event: 'step', step: 'accept' }],
  [
    14,
    {
      event: 'probe',
      answer: 'accepted',
      inARow: 3,
      needed: 3,
      settleMs: 30_000,
      settlesInMs: 18_000,
      givesUpInMs: 108_000,
    },
  ],
  [32, { event: 'step', step: 'deliver' }],
  [33, { event: 'target', target: env, state: 'delivered' }],
  [33, { event: 'target', target: cluster, state: 'writing' }],
  [35, { event: 'target', target: cluster, state: 'delivered' }],
  [35, { event: 'step', step: 'verify' }],
  [36, { event: 'restart', restart: 'deployment/web', state: 'started', boundMs: 300_000 }],
  [40, { event: 'restart', restart: 'deployment/web', state: 'running', boundMs: 300_000 }],
  [41, { event: 'verify', state: 'started', boundMs: 120_000 }],
  [45, { event: 'verify', state: 'passed', boundMs: 120_000 }],
  [46, { event: 'step', step: 'overlap' }],
  [
    60,
    {
      event: 'evidence',
      evidence,
      missing: ['key_abc123 was last used at 2026-11-21T16:38:50Z; it must be seen quiet for 10m'],
      requests: { old: 1_204, new: 87 },
      idleInMs: 460_000,
      waitEndsInMs: 840_000,
    },
  ],
  [
    600,
    {
      event: 'evidence',
      evidence: { ...evidence, checkedAt: at(600), oldKeyIdle: true },
      missing: [],
      requests: { old: 1_204, new: 940 },
      idleInMs: null,
      waitEndsInMs: 300_000,
    },
  ],
  [601, { event: 'step', step: 'retire' }],
  [602, { event: 'step', step: 'finish' }],
]

/** The same, but that the user's check failed. */
export const undone: [seconds: number, event: RotationEvent][] = [
  ...story.slice(0, 14),
  [
    42,
    {
      event: 'state',
      state: 'aborting',
      newKey: 'key_def456',
      failure: { code: 'verify-failed', message: 'the verify command ended with 1: ./smoke.sh' },
    },
  ],
  [43, { event: 'target', target: env, state: 'restored' }],
  [44, { event: 'target', target: cluster, state: 'restored' }],
  [45, { event: 'undo-wait', newKey: 'key_def456', quietMs: 600_000, waitEndsInMs: 890_000 }],
]

/** What is known of it after so many seconds. */
export function stateAt(seconds: number, events = story): BoardState {
  const heard = events.filter(([second]) => second <= seconds)
  return heard.reduce(
    (state, [second, event]) => after(state, event, beganAt + second * 1_000),
    boardAt(beganAt),
  )
}
