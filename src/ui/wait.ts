import type { Wait } from '../api/contract.ts'
import { formatDuration } from '../duration.ts'

/** What a person is told before the client waits. */
export function waitSentence({ reason, what, message, ms }: Wait): string {
  const how = formatDuration(ms)
  if (reason === 'rate-limit') return `waiting ${how} for the API's rate limit: ${what}`
  return `trying again in ${how}: ${what}${message === undefined ? '' : `: ${message}`}`
}
