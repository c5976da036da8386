import { rules } from '../audit/rules.ts'
import { KeysError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { rulesText } from '../ui/audit/rules.ts'
import { readExplanations, renderExplanation, renderSummaries } from '../ui/explanation.ts'
import { listed } from './audit-rules.ts'
import { defineCommand } from './command.ts'

/** The text of docs/errors.md, put in by the build. */
declare const PICTIFY_KEYS_ERRORS: string

export const explain = defineCommand({
  name: 'explain',
  summary: 'what an error code means, or a rule of audit, and what to do',
  args: [
    {
      name: 'code',
      summary: 'error code, exit code or rule of audit; none: all error codes',
      optional: true,
    },
  ],
  examples: [
    'pictify-keys explain',
    'pictify-keys explain rotation-undone',
    'pictify-keys explain 6',
    'pictify-keys explain key-age',
  ],

  async run({ out }, { code: wanted }) {
    const all = readExplanations(PICTIFY_KEYS_ERRORS)
    if (wanted === undefined || /^\d+$/.test(wanted)) {
      const shown = wanted === undefined ? all : all.filter(({ exits }) => exits.includes(Number(wanted)))
      if (shown.length === 0) {
        throw new KeysError('usage', `no error code ends with exit ${wanted}`, {
          hint: 'pictify-keys explain lists the codes and their exits',
        })
      }
      const text = renderSummaries(shown, Math.min(out.width, 100), out.paint)
      return out.result({ explanations: shown }, () => text)
    }
    const rule = rules.find(({ id }) => id === wanted)
    if (rule !== undefined) return out.result({ rule: listed(rule) }, (data) => rulesText([data.rule], out))
    const explanation = all.find(({ code }) => code === wanted)
    if (explanation === undefined) {
      const [meant] = nearest(wanted, [...all.map(({ code }) => code), ...rules.map(({ id }) => id)])
      throw new KeysError('usage', `there is no error code or rule ${wanted}`, {
        hint: meant === undefined ? 'pictify-keys explain lists all of them' : `did you mean ${meant}?`,
      })
    }
    // its lines are our own: what a result's sentence is handed has lost them
    const text = renderExplanation(explanation, Math.min(out.width, 100), out.paint)
    out.result({ explanation }, () => text)
  },
})
