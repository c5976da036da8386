// Rules of this file:
// - whose a secret is, is proved or not known; that a key was used at the same time proves nothing.
import type { Client, Key } from '../api/contract.ts'
import type { Secret } from '../secret.ts'
import { getOrGone } from './account.ts'
import type { RotationOptions, RotationServices } from './run.ts'

const proofPauseMs = 1_000
/** Beyond the usage lag: how long a use may take to show. */
const proofGraceMs = 15_000
const probesWhileSpreading = 5

/**
 * Asks the audit log; where there is none, probes with the value and watches whether the key's last use moves then. An
 * application may use that key in the same moment: where the last use of a rival moves too, nothing is proved.
 */
export async function isSecretOf(
  { api, clock, stop }: RotationServices,
  options: RotationOptions,
  key: Key,
  value: Secret,
  rivals: readonly string[] = [],
): Promise<boolean> {
  if (value.type !== key.type) return false
  const owner = await api.whose(value, { signal: stop })
  if (owner !== undefined) return owner === key.id
  const lastUse = async (id: string) => (await getOrGone(api, id))?.lastUsedAt ?? null
  const before = await lastUse(key.id)
  // An instant before the probe on the API's clock, whose header is cut to the second.
  const probedAt = Math.floor(api.now() / 1_000) * 1_000 - 1_000
  if (!(await isAccepted(api, clock, stop, value))) return false
  const giveUpAt = clock.now() + options.usageLagMs + proofGraceMs
  const follows = (use: string | null) => use !== null && Date.parse(use) >= probedAt
  let isSeen = false
  // With rivals, all the time that a use may take to show: a rival's may show later.
  while (clock.now() < giveUpAt && (!isSeen || rivals.length > 0)) {
    const after = await lastUse(key.id)
    isSeen ||= after !== before && follows(after)
    for (const id of rivals) if (follows(await lastUse(id))) return false
    if (!isSeen || rivals.length > 0) await clock.sleep(proofPauseMs, stop)
  }
  return isSeen
}

async function isAccepted(
  api: Client,
  clock: RotationServices['clock'],
  stop: AbortSignal,
  value: Secret,
): Promise<boolean> {
  for (let attempt = 0; attempt < probesWhileSpreading; attempt++) {
    if ((await api.probe(value)) === 'accepted') return true
    await clock.sleep(proofPauseMs, stop)
  }
  return false
}
