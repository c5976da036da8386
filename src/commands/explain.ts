import { KeysError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { readExplanations, renderExplanation, renderSummaries } from '../ui/explanation.ts'
import { defineCommand } from './command.ts'

/** The text of docs/errors.md, put in by the build. */
declare const PICTIFY_KEYS_ERRORS: string

export const explain = defineCommand({
  name: 'explain',
  summary: 'what an error code means, where it comes from, and what to do',
  args: [{ name: 'code', summary: 'error code, or exit code; none: all of them', optional: true }],
  examples: ['pictify-keys explain', 'pictify-keys explain rotation-undone', 'pictify-keys explain 6'],

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
    const explanation = all.find(({ code }) => code === wanted)
    if (explanation === undefined) {
      const [meant] = nearest(
        wanted,
        all.map((each) => each.code),
      )
      throw new KeysError('usage', `there is no error code ${wanted}`, {
        hint: meant === undefined ? 'pictify-keys explain lists all of them' : `did you mean ${meant}?`,
      })
    }
    // its lines are our own: what a result's sentence is handed has lost them
    const text = renderExplanation(explanation, Math.min(out.width, 100), out.paint)
    out.result({ explanation }, () => text)
  },
})
