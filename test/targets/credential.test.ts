import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { openConfig } from '../../src/config.ts'
import type { CredentialStore } from '../../src/credentials/credential.ts'
import { createFileStore } from '../../src/credentials/file.ts'
import { Secret } from '../../src/secret.ts'
import { createCredentialTarget } from '../../src/targets/credential.ts'
import { failure, old, successor } from './contract.ts'
import { temporaryFolder } from './file-contract.ts'

const folder = temporaryFolder()
const store = async (): Promise<CredentialStore> =>
  createFileStore(await openConfig(join(folder(), 'config')))
const target = async () => createCredentialTarget('credential', await store())
const stored = async () => (await (await store()).read())?.reveal()

describe('the stored credential as a target', () => {
  describe('that is there', () => {
    beforeEach(async () => (await store()).write(old))

    test('is read, written and put back', async () => {
      const place = await target()
      await place.check()
      const held = await place.read()
      expect(held?.value.reveal()).toBe(old.reveal())
      await place.write(successor, held)
      expect(await stored()).toBe(successor.reveal())
      await place.write(successor, held)
      expect(await stored()).toBe(successor.reveal())
      await place.restore(held, successor)
      expect(await stored()).toBe(old.reveal())
      await place.restore(held, successor)
      expect(await stored()).toBe(old.reveal())
    })

    test('is left alone where somebody else has changed it', async () => {
      const place = await target()
      const held = await place.read()
      const theirs = new Secret('pk_live_TheirsTheirs3')
      await (await store()).write(theirs)
      expect(await failure(place.write(successor, held))).toMatchObject({ code: 'target-changed' })
      expect(await failure(place.write(successor, undefined))).toMatchObject({ code: 'target-changed' })
      expect(await failure(place.restore(held, successor))).toMatchObject({ code: 'target-changed' })
      expect(await failure(place.restore(undefined, successor))).toMatchObject({ code: 'target-changed' })
      expect(await stored()).toBe(theirs.reveal())
    })
  })

  test('that is not there is made, and removed again', async () => {
    const place = await target()
    expect(await place.read()).toBeUndefined()
    await place.restore(undefined, successor)
    expect(await stored()).toBeUndefined()
    await place.write(successor, undefined)
    expect(await stored()).toBe(successor.reveal())
    await place.restore(undefined, successor)
    expect(await stored()).toBeUndefined()
    expect(await failure(place.write(successor, { value: old }))).toMatchObject({ code: 'target-changed' })
    expect(await stored()).toBeUndefined()
  })
})
