import { Ajv2020 } from 'ajv/dist/2020.js'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { commands } from '../../src/commands/index.ts'
import { errorExits } from '../../src/errors.ts'
import { closed, createValidators, eventDefinitions, schemas, type Schema } from './schemas.ts'

/** What is no document of a command; the keys file is read by the program, which takes no field that it does not know. */
const others = ['definitions', 'error', 'event', 'pictify-keys']

/** Every schema inside one, with the path to it. */
function* inside(schema: unknown, path = ''): Generator<[string, Record<string, unknown>]> {
  if (typeof schema !== 'object' || schema === null) return
  if (!Array.isArray(schema)) yield [path, schema as Record<string, unknown>]
  for (const [key, value] of Object.entries(schema)) yield* inside(value, `${path}/${key}`)
}

const all = [...schemas]
const key = {
  id: 'key_abc123',
  name: 'Production Server',
  type: 'live',
  status: 'active',
  createdAt: '2026-03-11T12:00:00Z',
  lastUsedAt: null,
}

test.each(all)('%s.json is a JSON Schema 2020-12, under an id of its own', (name, schema) => {
  const ajv = new Ajv2020()
  expect(ajv.validateSchema(schema), JSON.stringify(ajv.errors)).toBe(true)
  expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
  expect(schema.$id).toBe(`https://pictify.io/schemas/pictify-keys/${name}.json`)
})

test.each(all)('%s.json compiles, and leads nowhere but to the files beside it', (name, schema) => {
  expect(createValidators().of(name)).toBeTypeOf('function')
  for (const [path, { $ref }] of inside(schema)) {
    if (typeof $ref === 'string') expect($ref, path).toMatch(/^(definitions\.json)?#\/\$defs\/\w+$/)
  }
})

test.each(all.filter(([name]) => name !== 'pictify-keys'))(
  '%s.json is open for fields that are added',
  (_, schema) => {
    for (const [path, { additionalProperties, unevaluatedProperties }] of inside(schema)) {
      expect(additionalProperties, path).not.toBe(false)
      expect(unevaluatedProperties, path).toBeUndefined()
    }
  },
)

test.each(all)('%s.json says what everything in it is, and durations in which unit', (_, schema) => {
  for (const [path, { properties }] of inside(schema)) {
    for (const [name, field] of Object.entries((properties ?? {}) as Record<string, Schema>)) {
      // a word that is given, a definition, and a list or an object of those speak for themselves
      const speaks = ['const', 'enum', '$ref', 'items', 'properties', 'anyOf', 'oneOf'].some(
        (word) => word in field,
      )
      expect(speaks || field.type === 'null' || field['description'], `${path}/${name}`).toBeTruthy()
      if (/Ms$|^ms$|^p\d\d$/.test(name))
        expect(field['description'], `${path}/${name}`).toMatch(/Milliseconds\.$/)
    }
  }
})

test('every definition is used', () => {
  const text = JSON.stringify(all.map(([, schema]) => schema))
  for (const name of Object.keys(schemas.get('definitions')?.$defs ?? {})) {
    expect(text).toMatch(new RegExp(`#/\\$defs/${name}"`))
  }
})

test('every command has its document', () => {
  const names = commands.map(({ name }) => name)
  expect([...schemas.keys()].filter((name) => !others.includes(name)).sort()).toEqual(names.sort())
})

test('the codes of errors are those of the program', () => {
  const { ErrorCode } = schemas.get('definitions')?.$defs ?? {}
  expect(ErrorCode?.['enum']).toEqual(Object.keys(errorExits))
})

test('every event is in the list, once', () => {
  const { oneOf, $defs } = schemas.get('event') as Schema
  const listed = (oneOf as { $ref: string }[]).map(({ $ref }) => $ref.slice('#/$defs/'.length))
  expect(listed).toEqual(Object.keys($defs ?? {}))
  expect(eventDefinitions.size).toBe(listed.length)
})

test('the files are the schemas and nothing else', async () => {
  const names = await readdir(fileURLToPath(new URL('../../schema/', import.meta.url)))
  expect(names.sort()).toEqual([...schemas.keys()].map((name) => `${name}.json`).sort())
})

describe('what is not as promised is found', () => {
  test.each([
    ['a field is missing', { ...key, status: undefined }],
    ['a word that there is not', { ...key, type: 'staging' }],
    ['an instant that is none', { ...key, createdAt: 'yesterday' }],
    ['a date without a time', { ...key, lastUsedAt: '2026-03-11' }],
    ['an empty id', { ...key, id: '' }],
    ['null where none may be', { ...key, name: null }],
  ])('%s', (_, spoilt) => {
    const validate = createValidators().of('show')
    expect(validate({ apiKey: key })).toBe(true)
    expect(validate({ apiKey: JSON.parse(JSON.stringify(spoilt)) as unknown })).toBe(false)
  })

  test('a field that nobody knows is taken, but not when the schemas are closed', () => {
    const document = { apiKey: { ...key, colour: 'red' } }
    expect(createValidators().of('show')(document)).toBe(true)
    expect(createValidators(closed).of('show')(document)).toBe(false)
  })

  test('a rotation is not both done and skipped', () => {
    const validate = createValidators().of('rotate')
    const { id, name, createdAt } = key
    const skipped = { key: { id, name, createdAt }, reason: 'younger' }
    expect(validate({ rotation: null, skipped })).toBe(true)
    expect(validate({ rotation: null })).toBe(false)
  })

  test('an event of another kind is not taken for one that is known', () => {
    const validate = createValidators().of('event')
    expect(validate({ event: 'revoked', at: key.createdAt, keyId: 'key_1' })).toBe(true)
    expect(validate({ event: 'revoked', at: key.createdAt })).toBe(false)
    expect(validate({ event: 'unheard-of', at: key.createdAt })).toBe(false)
  })
})
