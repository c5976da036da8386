import type { NotifierReport } from '../alerts/report.ts'
import type { Judgement } from '../alerts/verdict.ts'
import type { Context } from '../context.ts'

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
  const texts = [...whys].map(([why, names]) => `${why}: nothing is known by ${names.join(', ')}`)
  return texts.map((text) => ({ text, isNew: !warned.includes(text) }))
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
