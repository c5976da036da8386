// Whether schema/pictify-keys.json, which editors check by, says of a file what the program says of it.
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { rules } from '../../src/audit/rules.ts'
import { alertSchemas, notifierSchemas } from '../../src/fleet/schema.ts'
import { beyondSchema, good } from '../fleet/files.ts'
import { bad } from '../fleet/refused-files.ts'
import { createValidators, schemas } from './schemas.ts'

const validate = createValidators().of('pictify-keys')
const takes = (text: string) => validate(parse(text, { logLevel: 'silent' }))

describe('it takes what the program takes', () => {
  test.each(good)('%s', (_, text) => {
    expect(takes(text), JSON.stringify(validate.errors)).toBe(true)
  })
})

describe('it refuses what the program refuses', () => {
  test.each(bad)('%s', (_, text) => {
    expect(takes(text)).toBe(false)
  })
})

// such a file is refused by the program, as test/fleet/reader.test.ts holds; that list grows only by what no schema can tell
describe('it cannot tell', () => {
  const byParser = ['twice', 'two documents', 'an anchor', 'a tab', 'a merge key', 'what every object has']
  test.each(beyondSchema.filter(([what]) => !byParser.some((each) => what.includes(each))))(
    '%s',
    (_, text) => {
      expect(takes(text), JSON.stringify(validate.errors)).toBe(true)
    },
  )
})

const definitions = schemas.get('pictify-keys')?.$defs as Record<
  string,
  { properties?: Record<string, { const?: string }>; oneOf?: { $ref: string }[] }
>
interface PublishedRule {
  anyOf: { properties?: Record<string, unknown> }[]
}
const words = (union: string, field: string) =>
  (definitions[union]?.oneOf ?? []).map(
    ({ $ref }) => definitions[$ref.slice('#/$defs/'.length)]?.properties?.[field]?.const,
  )

test('it has every condition and every notifier, and every setting of a rule', () => {
  expect(words('Alert', 'when').sort()).toEqual(Object.keys(alertSchemas).sort())
  expect(words('Notifier', 'type').sort()).toEqual(Object.keys(notifierSchemas).sort())
  const published = definitions['Rules']?.properties as unknown as Record<string, PublishedRule>
  expect(Object.keys(published)).toEqual(rules.map(({ id }) => id))
  for (const { id, settings = {} } of rules) {
    const [, { properties: own = {} } = {}] = published[id]?.anyOf ?? []
    expect([id, Object.keys(own).sort()]).toEqual([
      id,
      ['severity', ...Object.keys(settings).map((each) => each.replace(/Ms$/, ''))].sort(),
    ])
  }
  expect(definitions['RuleId']).toMatchObject({ enum: rules.map(({ id }) => id) })
})
