import { readFile } from 'node:fs/promises'
import openapiTS, { astToString, COMMENT_HEADER } from 'openapi-typescript'
import { describe, expect, expectTypeOf, test } from 'vitest'
import type * as contract from '../../src/api/contract.ts'
import type { components } from '../../src/api/openapi.ts'
import { openapiFile } from './conformance.ts'

type Schemas = components['schemas']

describe('openapi.yaml', () => {
  test('is what src/api/openapi.ts was made from', async () => {
    const made = COMMENT_HEADER + astToString(await openapiTS(openapiFile, { silent: true }))
    const kept = await readFile(new URL('../../src/api/openapi.ts', import.meta.url), 'utf8')
    expect(kept === made, 'openapi.ts is out of date: npm run openapi').toBe(true)
  })

  test('describes the types of the contract', () => {
    expectTypeOf<Schemas['Key']>().toEqualTypeOf<contract.Key>()
    expectTypeOf<Schemas['KeyType']>().toEqualTypeOf<contract.KeyType>()
    expectTypeOf<Schemas['KeyStatus']>().toEqualTypeOf<contract.KeyStatus>()
    expectTypeOf<Schemas['KeyAccess']>().toEqualTypeOf<contract.KeyAccess>()
    expectTypeOf<Schemas['Usage']>().toEqualTypeOf<contract.Usage>()
    expectTypeOf<Schemas['UsageWindow']>().toEqualTypeOf<contract.UsageWindow>()
    expectTypeOf<Schemas['AuditEvent']>().toEqualTypeOf<contract.AuditEvent>()
    expectTypeOf<Omit<Schemas['MintedKey'], 'secret'>>().toMatchTypeOf<contract.Key>()
    expectTypeOf<contract.Key & { secret: string }>().toMatchTypeOf<Schemas['MintedKey']>()
  })
})
