import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { SandboxKey } from '../../src/sandbox/server.ts'
import { openAlerts, type AlertsStage } from './alerts-stage.ts'
import { quick } from './rotating.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
})
afterEach(() => stage.end())

async function useFrom(country: string, { secret }: SandboxKey): Promise<void> {
  const headers = { authorization: `Bearer ${secret.reveal()}`, 'CF-IPCountry': country }
  const answer = await fetch(`${stage.sandbox.url}/templates?limit=1`, { headers })
  expect(answer.status).toBe(200)
}

const successor = () => {
  const found = stage.sandbox.keys().find(({ id, name }) => name === 'Web' && id !== stage.key.id)
  if (found === undefined) throw new Error('there is no successor')
  return found
}

it('a key is used from the countries of the one it took the place of: no news; from another one: news', async () => {
  await stage.file(['{name: place, when: new-country, keys: "Web*"}'])
  await useFrom('US', stage.key)
  expect((await stage.alerts('check')).exit).toBe(0)
  await writeFile(path.join(stage.home.directory, '.env'), `KEY=${stage.key.secret.reveal()}\n`)
  const rotated = await stage.run(['rotate', stage.key.id, '--to', 'env:.env#KEY', ...quick])
  expect(rotated.exit, rotated.stderr).toBe(0)
  // the probes of the rotation come from no country that is known
  expect((await stage.alerts('check')).stdout).toContain('0 firing, 1 unknown')
  await useFrom('US', successor())
  const usual = await stage.alerts('check')
  expect(usual.exit, usual.stdout).toBe(0)
  expect(usual.stdout).toBe('1 rule, 0 firing\n')
  await useFrom('KP', successor())
  const ran = await stage.alerts('check')
  expect(ran.exit, ran.stdout).toBe(10)
  expect(ran.stdout).toContain('requests from a country not seen before: KP')
})
