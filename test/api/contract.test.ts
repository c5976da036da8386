import { expectTypeOf, test } from 'vitest'
import type * as v from 'valibot'
import type * as contract from '../../src/api/contract.ts'
import type { components } from '../../src/api/openapi.ts'
import type { auditEventSchema, keySchema, usageSchema } from '../../src/api/schemas.ts'

type Documented = components['schemas']

// The compiler holds these: what the OpenAPI document promises is what the client hands out, and reads.
test('the contract is that of the OpenAPI document', () => {
  expectTypeOf<Documented['Key']>().toEqualTypeOf<contract.Key>()
  expectTypeOf<Documented['Usage']>().toExtend<contract.Usage>()
  expectTypeOf<contract.Usage>().toExtend<Documented['Usage']>()
  expectTypeOf<Documented['AuditEvent']>().toEqualTypeOf<contract.AuditEvent>()
  expectTypeOf<Documented['KeyType']>().toEqualTypeOf<contract.KeyType>()
  expectTypeOf<Documented['KeyStatus']>().toEqualTypeOf<contract.KeyStatus>()
  expectTypeOf<Documented['KeyAccess']>().toEqualTypeOf<contract.KeyAccess>()
})

test('what the schemas let through is the contract', () => {
  expectTypeOf<v.InferOutput<typeof keySchema>>().toExtend<contract.Key>()
  expectTypeOf<v.InferOutput<typeof usageSchema>>().toExtend<contract.Usage>()
  expectTypeOf<v.InferOutput<typeof auditEventSchema>>().toExtend<contract.AuditEvent>()
})
