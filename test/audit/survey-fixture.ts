import type { Key } from '../../src/api/contract.ts'
import type { Survey } from '../../src/audit/survey.ts'

/** 2026-03-01T12:00:00Z. */
export const surveyedAt = Date.UTC(2026, 2, 1, 12)

/** A key of a survey: active, live, a month old and just used. */
export function surveyed(fields: Partial<Key> = {}): Key {
  return {
    id: 'key_abc123',
    name: 'Production Server',
    type: 'live',
    status: 'active',
    access: 'full',
    createdAt: '2026-02-01T00:00:00Z',
    lastUsedAt: '2026-03-01T11:55:00Z',
    revokedAt: null,
    ...fields,
  }
}

/** An account without keys, of which nothing else is known. */
export const emptySurvey: Survey = {
  at: surveyedAt,
  recentSince: surveyedAt - 7 * 86_400_000,
  apiUrl: 'https://api.pictify.test',
  plan: 'pro',
  keys: [],
  ownKeyId: undefined,
  usage: { known: false, why: 'the API gives no usage' },
  log: { known: false, why: 'the API keeps no audit log' },
  rotations: { known: false, why: 'the journals cannot be read' },
  fleet: { known: false, why: 'there is no pictify-keys.yaml' },
  tree: { known: false, why: 'the working tree was not searched' },
  past: { known: false, why: 'nothing was seen before' },
}
