import type { Rule } from '../src/audit/rule.ts'

const begin = '<!-- rules: npm run readme -->'
const end = '<!-- end of rules -->'

/** Every rule with its help, from the same data as `audit rules`. */
export function ruleList(rules: readonly Rule[]): string {
  return rules
    .map(({ id, severity, summary, help, settings = {} }) => {
      const names = Object.keys(settings).map((name) => `\`${name.replace(/Ms$/, '')}\``)
      const own = names.length === 0 ? '' : `; settings ${names.join(', ')}`
      return [
        `### ${id}`,
        `${summary.charAt(0).toUpperCase()}${summary.slice(1)} (${severity}${own}).`,
        help,
      ].join('\n\n')
    })
    .join('\n\n')
}

/** The document with this list between its marks. */
export function withRules(document: string, list: string): string {
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from === -1 || to < from) throw new Error(`docs/audit.md lacks "${begin}" or "${end}"`)
  return `${document.slice(0, from + begin.length)}\n\n${list}\n\n${document.slice(to)}`
}
