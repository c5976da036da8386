import { spawnSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createReceiver } from '../alerts/receiver.ts'
import { busy, hook, openAlerts, type AlertsStage } from './alerts-stage.ts'

let stage: AlertsStage
beforeEach(async () => {
  stage = await openAlerts()
})
afterEach(() => stage.end())

const document = await readFile(new URL('../../docs/alerts.md', import.meta.url), 'utf8')
/** What docs/alerts.md gives to cron, without when, the variables and the folder of the machine it is for. */
const [, documented = ''] = /^\*\/10 \* \* \* \* \. \S+; cd \S+ && (.*)$/m.exec(document) ?? []

/** What cron would mail, and how the job ended. */
async function job(): Promise<{ mail: string; exit: number }> {
  const bin = fileURLToPath(new URL('../../bin/pictify-keys.js', import.meta.url))
  const folder = path.join(stage.home.directory, 'bin')
  await mkdir(folder, { recursive: true })
  const installed = `#!/bin/sh\nexec '${process.execPath}' '${bin}' "$@"\n`
  await writeFile(path.join(folder, 'pictify-keys'), installed, { mode: 0o755 })
  const env = { ...stage.home.env, PATH: `${folder}:${stage.home.env['PATH']}` }
  const child = spawn('sh', ['-c', documented], { cwd: stage.home.directory, env })
  const [out, err, [exit]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ])
  return { mail: out + err, exit }
}
const silent = { mail: '', exit: 0 }

describe.skipIf(spawnSync('sh', ['-c', '']).status !== 0)('the line for cron', () => {
  it('mails of what begins to fire, once', async () => {
    await stage.file([busy(3_000)])
    expect(await job()).toEqual(silent)
    await stage.file([busy(3)])
    const began = await job()
    expect(began.exit).toBe(0)
    expect(began.mail).toContain('error: 1 alert fires')
    expect(await job()).toEqual(silent)
    expect(await job()).toEqual(silent)
    expect(stage.told()).toEqual(['alert.firing busy'])
    await stage.file([busy(3_000)])
    expect(await job()).toEqual(silent)
    expect(stage.told()).toEqual(['alert.firing busy', 'alert.recovered busy'])
  })

  it('mails of a rule that is skipped, once until it was held again', async () => {
    await stage.file([busy(3_000)])
    const breakUsage = () => stage.sandbox.addFault('status-404:GET /api-keys/*/usage')
    const restore = breakUsage()
    expect((await job()).mail).toContain('the API gives no usage: nothing is known by busy')
    expect(await job()).toEqual(silent)
    restore()
    expect(await job()).toEqual(silent)
    breakUsage()
    expect((await job()).mail).toContain('nothing is known by busy')
  })

  it('mails each time of a notifier that is dead, and fails where nobody at all was told', async () => {
    stage.hook.answers = [410]
    await stage.file([busy(3)])
    const first = await job()
    expect(first).toMatchObject({ exit: 1 })
    expect(first.mail).toContain('hook could not be told')
    expect(first.mail).toContain('no notifier could be told')
    expect(await job()).toMatchObject({ exit: 1 })
    stage.hook.answers = [200]
    expect(await job()).toEqual(silent)
  })

  it('does not fail for one that is dead, where another was told by an earlier check', async () => {
    const dead = await createReceiver(410)
    stage.home.env['OTHER_URL'] = dead.url
    await stage.file([busy(3)], [hook, '{name: other, type: webhook, urlEnv: OTHER_URL}'])
    expect(await job()).toMatchObject({ exit: 0 })
    const later = await job()
    expect(later.exit).toBe(0)
    expect(later.mail).toContain('warning: other could not be told')
    expect(later.mail).not.toContain('error:')
    await dead.close()
  })
})

it('with --json what fires is said each time all the same: a program asked', async () => {
  await stage.file([busy(3)])
  await stage.alerts('check')
  expect(await stage.alerts('check', '--quiet')).toMatchObject({ exit: 10, stderr: '' })
  expect((await stage.alerts('check', '--quiet', '--json')).stderr).toContain('"alerts-firing"')
})
