import type { Rule } from '../audit/rule.ts'
import { rules as allRules } from '../audit/rules.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { nearest } from '../nearest.ts'
import { rulesText } from '../ui/audit/rules.ts'
import { plain } from '../ui/paint.ts'
import { toJson } from '../ui/text.ts'
import type { auditFormats, Printing } from './audit-print.ts'
import { formatFor, formatOfFile } from './formats.ts'
import { proveOut, writeOut } from './out-file.ts'

type Format = (typeof auditFormats)[number]
type ListedRule = Pick<Rule, 'id' | 'severity' | 'summary' | 'help'>

const formats = ['table', 'json', 'csv', 'markdown'] as const

/** The rules that are asked for; all of them where none is named. Throws `usage`. */
export function chooseRules(ids: readonly string[]): readonly Rule[] {
  for (const id of ids) {
    if (allRules.some((rule) => rule.id === id)) continue
    const known = allRules.map((rule) => rule.id)
    const [meant] = nearest(id, known)
    throw new KeysError('usage', `there is no rule ${id}`, {
      hint: meant === undefined ? 'pictify-keys audit rules lists them' : `did you mean ${meant}?`,
    })
  }
  return ids.length === 0 ? allRules : allRules.filter(({ id }) => ids.includes(id))
}

export function listed({ id, severity, summary, help }: Rule): ListedRule {
  return { id, severity, summary, help }
}

/** `audit rules`. */
export async function printRules(
  context: Context,
  ids: readonly string[],
  { format, file }: Printing,
): Promise<void> {
  const { out } = context
  const rules = chooseRules(ids).map(listed)
  const told = file === undefined ? formatFor(format, out) : formatInto(file, format)
  if (!isListed(told)) {
    throw new KeysError('usage', `the rules are no report: there is no ${told} of them`, {
      hint: `give --format ${formats.join(', ')}`,
    })
  }
  if (file !== undefined) {
    await proveOut(context, file)
    await writeOut(context, file, await draw(rules, told))
    if (!out.json) return out.say(`the rules are in ${file}`)
  }
  if (told === 'table' || out.json) return out.result({ rules }, (data) => rulesText(data.rules, out))
  await out.lines((await draw(rules, told)).trimEnd().split('\n'))
}

function formatInto(file: string, format: Format | undefined): Format {
  return format ?? formatOfFile(file, ['json', 'csv', 'markdown', 'sarif', 'html']) ?? 'table'
}

function isListed(format: Format): format is (typeof formats)[number] {
  return formats.some((each) => each === format)
}

async function draw(rules: readonly ListedRule[], format: (typeof formats)[number]): Promise<string> {
  switch (format) {
    case 'table':
      return rulesText(rules, { paint: plain })
    case 'json':
      return toJson({ rules }, 2)
    case 'csv':
      return (await import('../ui/audit/csv.ts')).rulesCsv(rules)
    case 'markdown':
      return (await import('../ui/audit/markdown.ts')).rulesMarkdown(rules)
  }
}
