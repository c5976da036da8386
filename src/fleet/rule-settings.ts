/** What `audit: rules` says of one rule: a severity alone, or settings, each written as the rule has it. */
import * as v from 'valibot'
import { count, fields, oneOf, shareOrNone, some, someTime, texts, times } from './fields.ts'
import type { RuleSettings, SettingKinds } from './fleet.ts'
import type { AnySchema } from './notes.ts'

const severity = oneOf('off', 'note', 'warning', 'error')

const schemas: Readonly<Record<SettingKinds[keyof SettingKinds], AnySchema>> = {
  duration: someTime,
  share: shareOrNone,
  times,
  keys: some,
  requests: count,
  programs: texts,
  networks: texts,
  countries: texts,
  files: texts,
}

function nameOf(setting: string): string {
  return setting.replace(/Ms$/, '')
}

export function ruleSchema(id: string, kinds: Partial<SettingKinds>) {
  const own = Object.entries(kinds).map(
    ([setting, kind]) => [nameOf(setting), v.optional(schemas[kind])] as const,
  )
  const settings = fields({ severity: v.optional(severity), ...Object.fromEntries(own) }, `setting of ${id}`)
  return v.pipe(
    v.lazy((input) => (typeof input === 'object' && input !== null ? settings : severity)),
    v.transform((value): RuleSettings => {
      if (typeof value === 'string') return { severity: value }
      const { warnAfter, errorAfter, ...others } = value as RuleSettings & {
        warnAfter?: number
        errorAfter?: number
      }
      return { ...others, warnAfterMs: warnAfter, errorAfterMs: errorAfter }
    }),
    v.check(
      ({ warnAfterMs = 0, errorAfterMs = Infinity }) => warnAfterMs <= errorAfterMs,
      'warns after it is an error: warnAfter is to be shorter than errorAfter',
    ),
    v.check(
      ({ warnAbove = 0, errorAbove = Infinity }) => warnAbove <= errorAbove,
      'warns above what is an error: warnAbove is to be less than errorAbove',
    ),
  )
}
