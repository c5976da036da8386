import type { NotifierReport } from '../alerts/report.ts'
import type { AlertState } from '../alerts/state-file.ts'
import type { Judgement, Reach } from '../alerts/verdict.ts'
import type { Context } from '../context.ts'
import type { Fleet } from '../fleet/fleet.ts'

/** What must not be overlooked, and will be so at the next check too: with --quiet it is told when it is new. */
export interface Note {
  text: string
  isNew: boolean
}

/** `warned`: what the check before told of. */
export function notesOf(judgements: readonly Judgement[], warned: readonly string[]): Note[] {
  const whys = new Map<string, string[]>()
  for (const { rule, skipped } of judgements) {
    if (skipped !== undefined) whys.set(skipped, [...(whys.get(skipped) ?? []), rule.name])
  }
  const texts = [
    ...[...whys].map(([why, names]) => `${why}: nothing is known by ${names.join(', ')}`),
    ...emptyReaches(judgements.map(({ reach }) => reach)),
  ]
  return texts.map((text) => ({ text, isNew: !warned.includes(text) }))
}

/** Of rules that no key can ever be found by: most likely a name is misspelt. */
export function emptyReaches(reaches: readonly Reach[]): string[] {
  return reaches
    .filter(({ keys, count }) => keys !== null && count === 0)
    .map(({ rule, keys, meant }) => {
      const hint = meant === null ? '' : `; did you mean "${meant}"?`
      return `no active key has a name that fits keys: "${keys}" of ${rule}${hint}`
    })
}

/** Of webhooks whose receiver cannot tell who sent what it gets. */
export function unsigned(notifiers: Fleet['notify']): string[] {
  return notifiers
    .filter((each) => each.kind === 'webhook' && each.secretEnv === undefined)
    .map(
      ({ name }) =>
        `${name} is sent without a signature: whoever has its URL can send it alerts; name a secret under secretEnv`,
    )
}

/** What the last check saw of how many keys the rules of the file are about, as far as they are the same still. */
export function reachesOf({ alerts }: Fleet, { reaches }: AlertState): Reach[] {
  return reaches.filter(({ rule, keys }) =>
    alerts.some((each) => each.name === rule && (each.keys ?? null) === keys),
  )
}

export function warn(
  { out, globals }: Pick<Context, 'out' | 'globals'>,
  notes: readonly Note[],
  notifiers: readonly NotifierReport[],
): void {
  for (const { text, isNew } of notes) if (isNew || !globals.quiet) out.warn(text)
  for (const { name, failed, problem } of notifiers) {
    if (failed > 0) out.warn(`${name} could not be told: ${problem}; it is tried again at the next check`)
    else if (problem !== null) out.warn(`${name}: ${problem}`)
  }
}
