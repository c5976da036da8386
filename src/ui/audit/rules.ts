import type { Rule } from '../../audit/rule.ts'
import type { Output } from '../output.ts'

/** Every rule there is, for people. */
export function rulesText(
  rules: readonly Pick<Rule, 'id' | 'severity' | 'summary' | 'help'>[],
  { paint }: Pick<Output, 'paint'>,
): string {
  return rules
    .map(({ id, severity, summary, help }) =>
      [`${paint.bold(id)} (${severity})`, `  ${summary}`, `  ${help}`].join('\n'),
    )
    .join('\n\n')
}
