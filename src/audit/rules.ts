import type { Rule } from './rule.ts'
import { adminKeyDoesWork } from './rules/admin-key-does-work.ts'
import { duplicateName } from './rules/duplicate-name.ts'
import { errorRate } from './rules/error-rate.ts'
import { keyAge } from './rules/key-age.ts'
import { latency } from './rules/latency.ts'
import { liveKeyInDevelopment } from './rules/live-key-in-development.ts'
import { missingKey } from './rules/missing-key.ts'
import { neverUsed } from './rules/never-used.ts'
import { newCountry } from './rules/new-country.ts'
import { newNetwork } from './rules/new-network.ts'
import { newUserAgent } from './rules/new-user-agent.ts'
import { orphan } from './rules/orphan.ts'
import { outsideHours } from './rules/outside-hours.ts'
import { planHeadroom } from './rules/plan-headroom.ts'
import { requestSpike } from './rules/request-spike.ts'
import { revokedNotDeleted } from './rules/revoked-not-deleted.ts'
import { rotationOpen } from './rules/rotation-open.ts'
import { secretInTree } from './rules/secret-in-tree.ts'
import { sharedKey } from './rules/shared-key.ts'
import { testKeyAtLimit } from './rules/test-key-at-limit.ts'
import { tooManyAdminKeys } from './rules/too-many-admin-keys.ts'
import { unknownKey } from './rules/unknown-key.ts'
import { unused } from './rules/unused.ts'
import { vagueName } from './rules/vague-name.ts'
import { wokeUp } from './rules/woke-up.ts'

/** Every rule, by its id's alphabet. */
export const rules: readonly Rule[] = [
  adminKeyDoesWork,
  duplicateName,
  errorRate,
  keyAge,
  latency,
  liveKeyInDevelopment,
  missingKey,
  neverUsed,
  newCountry,
  newNetwork,
  newUserAgent,
  orphan,
  outsideHours,
  planHeadroom,
  requestSpike,
  revokedNotDeleted,
  rotationOpen,
  secretInTree,
  sharedKey,
  testKeyAtLimit,
  tooManyAdminKeys,
  unknownKey,
  unused,
  vagueName,
  wokeUp,
]
