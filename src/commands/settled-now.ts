import type { Client } from '../api/contract.ts'
import type { Clock } from '../clock.ts'

/** The API's clock is known to the second. */
const clockGrainMs = 1_000

/** An instant by the API's clock (Unix ms) that is past, and before which everything lies that was done until now. */
export async function settledNow(
  api: Pick<Client, 'now'>,
  clock: Clock,
  signal: AbortSignal,
): Promise<number> {
  const at = api.now() + clockGrainMs
  await clock.sleep(clockGrainMs, signal)
  return at
}
