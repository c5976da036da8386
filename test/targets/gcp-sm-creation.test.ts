import { expect, test, describe } from 'vitest'
import type { Target } from '../../src/targets/target.ts'
import { Status } from '../servers/google/status.ts'
import { failure, old, successor, third } from './contract-fixture.ts'
import { useVersions } from './gcp-sm-fixture.ts'

const { stage, targetAt, add, change, text } = useVersions()

describe('made with --create-target', () => {
  const made = { createTarget: true }

  /** A write whose answer is lost, and that somebody else's came before. */
  async function cutOff(secret: string, target: Target, theirs: string): Promise<void> {
    stage.google.beforeNextWrite = async () => void add(secret, theirs)
    stage.google.afterNextWrite = async () => {
      throw new Status('UNAVAILABLE', 'cut off')
    }
    expect((await failure(target.write(successor, undefined))).code).toBe('target-unclear')
    expect((await target.read())?.value.equals(successor)).toBe(true)
  }

  test.each(['write', 'restore'] as const)(
    'killed before we saw that others came before: %s brings theirs back',
    async (next) => {
      const place = stage.place({ field: 'key' })
      await place.put(old.reveal())
      add(place.secret, '{"a":1}')
      const target = targetAt(place.spec, made)
      await cutOff(place.secret, target, '{"a":2}')
      if (next === 'write') await target.write(successor, undefined)
      else await target.restore(undefined, successor)
      const ours = `{"a":2,"key":"${successor.reveal()}"}`
      expect(text(place.secret)).toBe(next === 'write' ? ours : '{"a":2}')
    },
  )

  test('killed, and theirs is the key itself: an undo puts it on top again', async () => {
    const place = stage.place()
    await place.put(old.reveal())
    change(place.secret, 'Disable', 1)
    const target = targetAt(place.spec, made)
    await cutOff(place.secret, target, third.reveal())
    expect((await failure(target.restore(undefined, successor))).code).toBe('target-changed')
    expect(stage.versions(place.secret)).toEqual(['1 DISABLED', '2 ENABLED', '3 DISABLED', '4 ENABLED'])
    expect(text(place.secret)).toBe(third.reveal())
  })

  test('on top of one that was disabled: those below it are nobody’s change', async () => {
    const place = stage.place()
    await place.put(third.reveal())
    add(place.secret, old.reveal())
    change(place.secret, 'Disable', 2)
    const target = targetAt(place.spec, made)
    await target.write(successor, undefined)
    await target.write(successor, undefined)
    expect(stage.versions(place.secret)).toEqual(['1 ENABLED', '2 DISABLED', '3 ENABLED'])
  })

  test('a secret of ours, that is deleted again; and a regional one', async () => {
    for (const location of [undefined, 'europe-west1']) {
      const place = stage.place(location === undefined ? {} : { location })
      const warned: string[] = []
      await targetAt(place.spec, { ...made, warn: (line) => void warned.push(line) }).check()
      expect(warned.join()).toContain('secretmanager.secrets.create')
      await targetAt(place.spec, made).write(successor, undefined)
      const settings = stage.google.service.secrets.get(place.secret)?.settings
      expect(settings?.labels).toEqual({ 'created-by': 'pictify-keys' })
      expect(Boolean(settings?.['replication'])).toBe(location === undefined)
      await targetAt(place.spec).restore(undefined, successor)
      expect(stage.google.service.secrets.has(place.secret)).toBe(false)
    }
  })

  test('what was there without a version is not deleted', async () => {
    const place = stage.place()
    await place.put(undefined)
    await targetAt(place.spec, made).write(successor, undefined)
    await targetAt(place.spec).restore(undefined, successor)
    expect(stage.versions(place.secret)).toEqual(['1 DISABLED'])
  })

  test('what others have put something into since is not deleted', async () => {
    const place = stage.place()
    const target = targetAt(place.spec, made)
    await target.write(successor, undefined)
    add(place.secret, third.reveal())
    add(place.secret, successor.reveal())
    await target.restore(undefined, successor)
    expect(stage.versions(place.secret)).toEqual(['1 ENABLED', '2 ENABLED', '3 DISABLED'])
  })

  test('a field of a secret that is not there is an object of its own, and gone again', async () => {
    const place = stage.place({ field: 'key' })
    const target = targetAt(place.spec, made)
    await target.write(successor, undefined)
    expect(text(place.secret)).toBe(JSON.stringify({ key: successor.reveal() }))
    await target.restore(undefined, successor)
    expect(stage.google.service.secrets.has(place.secret)).toBe(false)
  })

  test.each(['{}', '{ "a" : 1,\n"b":"c"}'])(
    'a field of %s is removed again, the rest as it was',
    async (before) => {
      const place = stage.place({ field: 'key' })
      await place.put(old.reveal())
      add(place.secret, before)
      const target = targetAt(place.spec, made)
      await target.write(successor, undefined)
      expect((await target.read())?.value.equals(successor)).toBe(true)
      await target.restore(undefined, successor)
      expect(text(place.secret)).toBe(before)
    },
  )
})
