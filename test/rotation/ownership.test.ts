import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Key } from '../../src/api/contract.ts'
import { isSecretOf } from '../../src/rotation/ownership.ts'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import { Secret } from '../../src/secret.ts'
import { setStage, type Stage } from './stage.ts'

const usageLagMs = 60_000
const noAuditLog = 'html:GET /audit-logs'

let stage: Stage
let key: SandboxKey
let other: SandboxKey
beforeEach(async () => {
  stage = await setStage({ plan: 'business', usageLagMs })
  const create = (name: string) =>
    stage.sandbox.dashboard.create({ name, type: 'live', access: 'full', createdAt: stage.old.createdAt })
  key = create('One')
  other = create('Other')
})
afterEach(() => stage.end())

async function isProved(value: Secret, rivals: string[] = [], of = key): Promise<boolean> {
  const found: Key = await stage.client().keys.get(of.id)
  return isSecretOf(stage.services(), stage.options({ usageLagMs }), found, value, rivals)
}
const requests = (path: string) => stage.sandbox.requests.filter((request) => request.path.startsWith(path))

describe('whose a secret is, is told by the audit log', () => {
  it('where there is one', async () => {
    expect(await isProved(key.secret)).toBe(true)
    expect(await isProved(other.secret)).toBe(false)
    // Its own late uses would be waited for without it.
    expect(requests(`/api-keys/${key.id}`)).toHaveLength(2)
  })
})

describe('without an audit log it is told by the last use', () => {
  beforeEach(() => stage.sandbox.addFault(noAuditLog))

  it('that follows our probe, be it shown late', async () => {
    expect(await isProved(key.secret)).toBe(true)
  })

  it('and is not proved by a use before it, or by another key’s', async () => {
    await stage.call(key.secret)
    await stage.clock.sleep(5_000)
    expect(await isProved(other.secret)).toBe(false)
  })

  it('and an application’s use of another candidate in the same time proves nothing', async () => {
    expect(await isProved(key.secret, [other.id])).toBe(true)
    const proving = isProved(key.secret, [other.id])
    while (requests('/templates').length < 2) await stage.clock.sleep(0)
    await stage.call(other.secret)
    expect(await proving).toBe(false)
  })

  it('and what the API refuses is nobody’s', async () => {
    expect(await isProved(new Secret('pk_live_NobodysNobodys1'))).toBe(false)
    expect(requests('/templates').length).toBeGreaterThan(1)
  })
})

it('a test key’s secret is no live key’s, and is not even tried', async () => {
  expect(await isProved(new Secret('pk_test_NobodysNobodys1'))).toBe(false)
  expect(requests('/templates')).toHaveLength(0)
})
