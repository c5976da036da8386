import { readdir, readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { ruleList, withRules } from '../../scripts/rule-list.ts'
import { rules } from '../../src/audit/rules.ts'

const root = new URL('../../', import.meta.url)

test('every file of rules/ is a rule of the table, under its name, by the alphabet', async () => {
  const files = await readdir(new URL('src/audit/rules/', root))
  expect(rules.map(({ id }) => `${id}.ts`)).toEqual(files.sort())
})

test.each(rules.map((rule) => [rule.id, rule] as const))(
  '%s says what is wrong, why and how it is told',
  (_, rule) => {
    expect(rule.id).toMatch(/^[a-z]+(-[a-z]+)*$/)
    expect(rule.summary).toMatch(/^[a-z].*[^.]$/)
    expect(rule.help).toMatch(/^[A-Z`].*\.$/s)
    // what can be set is named where the rule is explained
    for (const name of Object.keys(rule.settings ?? {}))
      expect(rule.help).toContain(`\`${name.replace(/Ms$/, '')}\``)
  },
)

test('docs/audit.md has every rule as the program has it (npm run readme)', async () => {
  const document = await readFile(new URL('docs/audit.md', root), 'utf8')
  expect(document).toBe(withRules(document, ruleList(rules)))
})
