import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createSettingsTarget } from '../../examples/target/settings-target.js'
import { openAccount } from '../cli/account.ts'
import { describeTarget } from './contract.ts'
import { type SettingsService, startSettingsService } from './settings-service.ts'

const folder = fileURLToPath(new URL('../../examples/target/', import.meta.url))
let service: SettingsService
beforeAll(async () => {
  service = await startSettingsService()
})
afterAll(() => service.close())

describe('examples/target', () => {
  let count = 0
  describeTarget({
    async place() {
      const setting = `pictify-${++count}`
      let version = 0
      return {
        spec: `settings:${setting}`,
        put: async (value) => {
          const before = service.settings.get(setting)
          if (value === undefined) service.settings.delete(setting)
          else service.settings.set(setting, { value, version: (before?.version ?? version++) + 1 })
        },
        value: async () => service.settings.get(setting)?.value,
        others: async () => [...service.settings.keys()].filter((name) => name !== setting),
        version: async () => service.settings.get(setting)?.version,
      }
    },
    own: {
      create: (spec, { createTarget }) =>
        createSettingsTarget({
          url: service.url,
          setting: spec.replace('settings:', ''),
          token: service.token,
          createTarget,
          timeoutMs: 1_000,
          longestPauseMs: 10,
        }),
      module: fileURLToPath(new URL('settings-process.js', import.meta.url)),
    },
    largest: 64 * 1024,
    loginHint: /SETTINGS_TOKEN/,
    fail: (fault) => service.fail(fault),
    beforeNextWrite: (change) => service.beforeNextWrite(change),
    env: () => ({ SETTINGS_URL: service.url, SETTINGS_TOKEN: service.token }),
  })

  test('a key is rotated through it, by the program of the example', async () => {
    const account = await openAccount()
    try {
      const old = account.sandbox.dashboard.create({
        name: 'Production Server',
        createdAt: Date.now() - 86_400_000,
      })
      service.settings.set('pictify-api-key', { value: old.secret.reveal(), version: 1 })
      const env = {
        ...account.home.env,
        SETTINGS_URL: service.url,
        SETTINGS_TOKEN: service.token,
        WAITS: 'short',
      }
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [`${folder}rotate.js`, 'Production Server'],
        { env },
      )
      const successor = account.sandbox
        .keys()
        .find(({ name, id }) => name === 'Production Server' && id !== old.id)
      expect(stdout).toBe(`done: ${old.id} → ${successor?.id}\n`)
      expect(service.settings.get('pictify-api-key')?.value).toBe(successor?.secret.reveal())
      expect(account.sandbox.keys().find(({ id }) => id === old.id)?.status).toBe('revoked')
    } finally {
      await account.end()
    }
  })
})
