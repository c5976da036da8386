import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { failure, old, successor } from './contract-fixture.ts'
import { parent, useStage } from './gcp-sm-fixture.ts'

const { stage, targetAt, held } = useStage()

describe('the least permission', () => {
  /** The roles as docs/targets.md has them. */
  async function roles(): Promise<string[][]> {
    const text = await readFile(fileURLToPath(new URL('../../docs/targets.md', import.meta.url)), 'utf8')
    const section = text.slice(text.indexOf('## Google Secret Manager')).split(/\n## (?!Google)/)[0] ?? ''
    return [...section.matchAll(/```yaml\n(.*?)```/gs)].map(
      ([, yaml]) => (parse(yaml ?? '') as { includedPermissions: string[] }).includedPermissions,
    )
  }
  const someone = 'least@pictify-test.iam.gserviceaccount.com'
  const who = `serviceAccount:${someone}`
  beforeEach(async () => {
    const file = path.join(stage.folder, 'least.json')
    await writeFile(file, JSON.stringify(stage.google.logins.keyFile(someone)))
    process.env['GOOGLE_APPLICATION_CREDENTIALS'] = file
  })
  afterEach(() => stage.google.iam.revoke(who))

  /** All that a target does, told of warnings. */
  async function everything(spec: string, createTarget: boolean): Promise<string[]> {
    const warned: string[] = []
    const target = targetAt(spec, { createTarget, warn: (line) => void warned.push(line) })
    await target.check()
    const held = await target.read()
    await target.write(successor, held)
    await target.restore(held, successor)
    return warned
  }

  test('of the document is enough on the secret, without a warning', async () => {
    const [rotation = []] = await roles()
    const place = await held()
    stage.google.iam.define('roles/rotation', rotation)
    stage.google.iam.grant(place.secret, who, 'roles/rotation')
    expect(await everything(place.spec, false)).toEqual([])
    expect(await place.value()).toBe(old.reveal())
    expect(
      stage.google.calls.filter((call) => call.member === who).map(({ status }) => status),
    ).not.toContain('PERMISSION_DENIED')
  })

  test('and with the other on the project for --create-target', async () => {
    const [rotation = [], creation = []] = await roles()
    const place = stage.place()
    stage.google.iam.define('roles/creation', [...rotation, ...creation])
    stage.google.iam.grant(parent, who, 'roles/creation')
    expect(await everything(place.spec, true)).toHaveLength(1)
    expect(stage.google.service.secrets.has(place.secret)).toBe(false)
  })

  test('none of it is too much: without one on versions, nothing is begun', async () => {
    const [rotation = []] = await roles()
    const needed = rotation.filter((permission) => permission.startsWith('secretmanager.versions.'))
    expect(needed).toHaveLength(4)
    for (const missing of needed) {
      const place = await held()
      stage.google.iam.define(
        'roles/short',
        rotation.filter((permission) => permission !== missing),
      )
      stage.google.iam.grant(place.secret, who, 'roles/short')
      const error = await failure(targetAt(place.spec).check())
      expect(error.code).toBe('target-refused')
      expect(error.message).toContain(missing)
      expect(error.hint).toContain('docs/targets.md')
      stage.google.iam.revoke(who)
    }
  })

  test("Google's own two roles do as well, but for the aliases", async () => {
    const place = await held()
    const names = ['secretAccessor', 'secretVersionManager'].map((name) => `roles/secretmanager.${name}`)
    stage.google.iam.grant(place.secret, who, ...names)
    expect(await everything(place.spec, false)).toEqual([
      expect.stringContaining('aliases cannot be seen without secretmanager.secrets.get'),
    ])
  })
})

describe('what is warned of', () => {
  test('aliases, and an encryption key of the user', async () => {
    const place = await held()
    const kept = stage.google.service.secrets.get(place.secret)
    if (kept) {
      const customerManagedEncryption = { kmsKeyName: 'projects/p/locations/global/keyRings/r/cryptoKeys/k' }
      kept.settings.versionAliases = { prod: '1' }
      kept.settings['replication'] = { automatic: { customerManagedEncryption } }
    }
    const warned: string[] = []
    await targetAt(place.spec, { warn: (line) => void warned.push(line) }).check()
    expect(warned).toEqual([
      expect.stringContaining('the alias prod stays with version 1'),
      expect.stringContaining('encrypted by a key of your own'),
    ])
  })
})
