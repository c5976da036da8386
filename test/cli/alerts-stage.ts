import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createReceiver, type Receiver, signingSecret, verified } from '../alerts/receiver.ts'
import { openAccount, type Account } from './account.ts'
import type { Ran } from './program.ts'
import type { SandboxKey, SandboxOptions } from '../../src/sandbox/server.ts'

export interface AlertsStage extends Account {
  hook: Receiver
  /** A key that was used four times in the last day. */
  key: SandboxKey
  /** Writes the keys file: alerts and notifiers, an entry a line, and what else is to stand in it. */
  file(alerts: string[], notify?: string[], more?: string): Promise<void>
  alerts(...args: string[]): Promise<Ran>
  /** What the webhook was told, verified: what, and of which rule. */
  told(): string[]
  use(times: number): Promise<void>
}

export const busy = (over: number, more = '') =>
  `{name: busy, when: requests, keys: "Web*", over: ${over}${more}}`
export const hook = '{name: hook, type: webhook, urlEnv: HOOK_URL, secretEnv: HOOK_SECRET}'

export async function openAlerts(options: SandboxOptions = {}): Promise<AlertsStage> {
  const account = await openAccount({ plan: 'business', ...options })
  const receiver = await createReceiver(200)
  const key = account.sandbox.dashboard.create({ name: 'Web', createdAt: Date.now() - 9 * 86_400_000 })
  Object.assign(account.home.env, { HOOK_URL: receiver.url, HOOK_SECRET: signingSecret })
  const stage: AlertsStage = {
    ...account,
    hook: receiver,
    key,
    file: (alerts, notify = [hook], more = '') => {
      const list = (entries: string[]) => entries.map((each) => `  - ${each}\n`).join('')
      const text = `version: 1\nalerts:\n${list(alerts)}${notify.length > 0 ? `notify:\n${list(notify)}` : ''}${more}\n`
      return writeFile(path.join(account.home.directory, 'pictify-keys.yaml'), text)
    },
    alerts: (...args) => account.run(['alerts', ...args]),
    told: () =>
      receiver.received.map((each) => {
        const { type, data } = verified(each)
        return `${type} ${data.rule}`
      }),
    async use(times) {
      for (let count = 0; count < times; count++) {
        const authorization = `Bearer ${key.secret.reveal()}`
        await fetch(`${account.sandbox.url}/templates?limit=1`, { headers: { authorization } })
      }
    },
    async end() {
      await receiver.close()
      await account.end()
    },
  }
  await stage.use(4)
  return stage
}
