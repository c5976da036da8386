import { formatDuration } from '../duration.ts'

/** What is waited for: what was said last, since when, and for how long at most. */
export interface Awaited {
  /** Takes it from what an event says. */
  note(event: Readonly<Record<string, unknown>>, sentence: string | undefined): void
  /** The fields of an event that tells of it now. */
  facts(): { for: string; forMs: number; waitEndsInMs: number | undefined }
  /** The same as a sentence. */
  sentence(): string
}

/** `now` is in Unix milliseconds. */
export function createAwaited(now: () => number): Awaited {
  let awaited = { what: 'an answer', since: now(), endsAt: Infinity }

  function facts(): ReturnType<Awaited['facts']> {
    const { what, since, endsAt } = awaited
    const endsInMs = endsAt > now() && endsAt < Infinity ? endsAt - now() : undefined
    return { for: what, forMs: now() - since, waitEndsInMs: endsInMs }
  }

  return {
    note(event, sentence) {
      const boundMs = event['waitEndsInMs'] ?? event['boundMs'] ?? event['givesUpInMs'] ?? event['ms']
      const endsAt = typeof boundMs === 'number' ? now() + boundMs : undefined
      if (sentence !== undefined) awaited = { what: sentence.trim(), since: now(), endsAt: Infinity }
      awaited.endsAt = endsAt ?? awaited.endsAt
    },

    facts,

    sentence() {
      const { for: what, forMs, waitEndsInMs } = facts()
      const most = waitEndsInMs === undefined ? '' : `, ${formatDuration(waitEndsInMs)} more at most`
      return `still waiting, for ${formatDuration(forMs)}${most}: ${what}`
    },
  }
}
