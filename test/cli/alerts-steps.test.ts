import { afterEach, beforeEach, expect, test } from 'vitest'
import { verified } from '../alerts/receiver.ts'
import { openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => void (stage = await openAlerts()))
afterEach(() => stage.end())

test('the admin key that the check is made with is rotated as such, and never to be revoked', async () => {
  const day = 86_400_000
  const at = {
    createdAt: Date.now() - 400 * day,
    lastUsedAt: Date.now() - 100 * day,
    access: 'admin',
  } as const
  const own = stage.sandbox.dashboard.create({ name: 'Nightly check', ...at })
  const spare = stage.sandbox.dashboard.create({ name: 'Spare admin', ...at })
  await stage.file(
    [own, spare].flatMap(({ name }, index) => [
      `{name: old-${index}, when: too-old, after: 365d, keys: "${name}"}`,
      `{name: idle-${index}, when: unused, after: 30d, keys: "${name}"}`,
    ]),
  )
  await stage.run(['alerts', 'check'], { env: { PICTIFY_ADMIN_KEY: own.secret.reveal() } })
  const told = stage.hook.received.map((each) => verified(each).data)
  const lines = told.flatMap(({ commands }) => commands.map((line) => line.replace(/ --api-url .*/, '')))
  expect(lines).toContain(`pictify-keys rotate ${own.id} --self`)
  expect(lines).toContain(`pictify-keys rotate ${spare.id}`)
  expect(lines).toContain(`pictify-keys revoke ${spare.id}`)
  expect(lines).not.toContain(`pictify-keys revoke ${own.id}`)
})
