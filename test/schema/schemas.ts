import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../schema/', import.meta.url))

export type Schema = AnySchemaObject & { $id: string; $defs?: Record<string, AnySchemaObject> }

/** Every file of schema/ by its name without `.json`. */
export const schemas: ReadonlyMap<string, Schema> = new Map(
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name.slice(0, -5), JSON.parse(readFileSync(folder + name, 'utf8')) as Schema]),
)

/** Compiles what is in schema/; `change` is made to each file first. Throws for what is no schema, or has a word that none has. */
export function createValidators(change: (schema: Schema) => Schema = (schema) => schema) {
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true })
  addFormats.default(ajv)
  for (const schema of schemas.values()) ajv.addSchema(change(schema))
  return {
    /** The validator of a file, or of one of its `$defs`. */
    of(name: string, definition?: string): ValidateFunction {
      const id = schemas.get(name)?.$id
      if (id === undefined) throw new Error(`schema/${name}.json is not there`)
      const validate = ajv.getSchema(definition === undefined ? id : `${id}#/$defs/${definition}`)
      if (validate === undefined) throw new Error(`schema/${name}.json has no ${definition}`)
      return validate
    },
  }
}

/**
 * A schema that takes no field it does not name. What is published is open, for fields are added in minor versions; what
 * the program prints by now must be in it.
 */
export function closed<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(closed) as T
  if (typeof schema !== 'object' || schema === null) return schema
  const inside = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)]))
  const isOpen = 'properties' in inside && 'type' in inside && !('additionalProperties' in inside)
  return (isOpen ? { ...inside, additionalProperties: false } : inside) as T
}

/** The definitions of the events, by the word in `event`. */
export const eventDefinitions: ReadonlyMap<string, string> = new Map(
  Object.entries(schemas.get('event')?.$defs ?? {}).map(([definition, { properties }]) => [
    (properties as { event: { const: string } }).event.const,
    definition,
  ]),
)
