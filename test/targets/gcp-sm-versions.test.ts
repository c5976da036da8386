import { expect, test, describe } from 'vitest'
import { Status } from '../servers/google/status.ts'
import { failure, hurried, old, successor, third } from './contract-fixture.ts'
import { useVersions } from './gcp-sm-fixture.ts'

const { stage, targetAt, add, change, text, held } = useVersions()

describe('the versions', () => {
  test('an undo puts the old value on top, and disables ours alone', async () => {
    const { target, secret, before } = await held()
    add(secret, old.reveal())
    await target.write(successor, before)
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED', '3 ENABLED'])
    await target.restore(before, successor)
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED', '3 DISABLED', '4 ENABLED'])
  })

  test('an undo that died before it disabled ours does that when it is repeated', async () => {
    const { target, secret, before } = await held()
    await target.write(successor, before)
    add(secret, old.reveal())
    await target.restore(before, successor)
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 DISABLED', '3 ENABLED'])
  })

  test('an undo to what was there all the same changes nothing', async () => {
    const { place, target, secret } = await held()
    await place.put(successor.reveal())
    await target.restore(await target.read(), successor)
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED'])
  })

  test('latest that lags behind misleads neither a write nor an undo', async () => {
    const { target, secret, before } = await held()
    stage.google.service.lag = 2
    try {
      await target.write(successor, before)
      expect((await target.read())?.value.equals(successor)).toBe(true)
      await target.write(successor, before)
      expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED'])
      await target.restore(before, successor)
      await target.restore(before, successor)
      expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 DISABLED', '3 ENABLED'])
    } finally {
      stage.google.service.lag = 0
    }
  })

  test.each(['Disable', 'Destroy'] as const)(
    '%sd by somebody: it is gone, as for a reader of latest',
    async (verb) => {
      const { target, secret, before } = await held()
      add(secret, old.reveal())
      change(secret, verb, 2)
      expect(await target.read()).toBeUndefined()
      const error = await failure(target.check())
      expect(error.message).toContain(`its newest version, 2, is ${verb.toLowerCase()}`)
      if (verb === 'Disable') expect(error.hint).toContain('gcloud secrets versions enable 2 --secret=')
      expect((await failure(target.write(successor, before))).code).toBe('target-changed')
      expect(stage.versions(secret)).toHaveLength(2)
    },
  )

  test('what cannot be read for want of its encryption key is not taken for absent', async () => {
    const { target } = await held()
    stage.google.fault = (method) =>
      method === 'AccessSecretVersion' ? new Status('FAILED_PRECONDITION', 'The key is disabled.') : undefined
    const error = await failure(target.read())
    stage.google.fault = undefined
    expect(error.code).toBe('target-refused')
    expect(error.message).toContain('The key is disabled. (FAILED_PRECONDITION)')
  })

  test('what does not fit its checksum is not believed', async () => {
    const { target, secret } = await held()
    const version = stage.google.service.secrets.get(secret)?.versions[0]
    if (version) version.sum ^= 1
    expect((await failure(target.read())).message).toMatch(/does not fit its checksum$/)
  })

  test('what was written is read back by its number, and not believed where it is not that', async () => {
    const { target, secret, before } = await held()
    stage.google.afterNextWrite = async () => {
      const version = stage.google.service.secrets.get(secret)?.versions.at(-1)
      if (version) Object.assign(version, { data: Buffer.from('123456789'), sum: 0xe3069283 })
    }
    const error = await failure(target.write(successor, before))
    expect(error.code).toBe('target-unclear')
    expect(error.message).toMatch(/version 2 is not what was written$/)
  })

  test('ours carry their checksum, so that what arrives damaged is refused', async () => {
    const { target, secret, before } = await held()
    await target.write(successor, before)
    expect(stage.google.service.secrets.get(secret)?.versions.at(-1)?.isChecked).toBe(true)
  })
})

describe('somebody came before', () => {
  test('theirs is put on top before ours is disabled, however many come', async () => {
    const { target, secret, before } = await held()
    stage.google.beforeNextWrite = async () => {
      add(secret, 'theirs 1')
      stage.google.beforeNextWrite = async () => void add(secret, 'theirs 2')
    }
    const latest: unknown[] = []
    stage.google.fault = (method) => {
      if (method === 'DisableSecretVersion') latest.push(text(secret))
      return undefined
    }
    const error = await failure(target.write(successor, before))
    stage.google.fault = undefined
    expect(error.code).toBe('target-changed')
    expect(text(secret)).toBe('theirs 2')
    expect(stage.versions(secret)).toEqual(
      ['ENABLED', 'ENABLED', 'DISABLED', 'ENABLED', 'DISABLED', 'ENABLED'].map(
        (state, at) => `${at + 1} ${state}`,
      ),
    )
    expect(latest).toEqual(['theirs 2', 'theirs 2'])
  })

  test('with what it held before: nobody changed anything', async () => {
    const { target, secret, before } = await held()
    stage.google.beforeNextWrite = async () => void add(secret, old.reveal())
    await target.write(successor, before)
    expect(text(secret)).toBe(successor.reveal())
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED', '3 ENABLED'])
  })

  test('in another field: both changes are there in the end, of a write and of an undo', async () => {
    const { place, target, secret, before } = await held({ field: 'key' })
    const edit = async () => void add(secret, (text(secret) ?? '').replace('"app"', '"theirs"'))
    stage.google.beforeNextWrite = edit
    await target.write(successor, before)
    expect(await place.value()).toBe(successor.reveal())
    expect(text(secret)).toContain('"theirs"')
    stage.google.beforeNextWrite = async () =>
      void add(secret, (text(secret) ?? '').replace('"theirs"', '"again"'))
    await target.restore(before, successor)
    expect(await place.value()).toBe(old.reveal())
    expect(text(secret)).toContain('"again"')
  })

  test('and we were killed before we saw it: the next run sees it', async () => {
    const { target, secret, before } = await held()
    stage.google.beforeNextWrite = async () => void add(secret, third.reveal())
    stage.google.afterNextWrite = async () => {
      throw new Status('UNAVAILABLE', 'cut off')
    }
    expect((await failure(target.write(successor, before))).code).toBe('target-unclear')
    expect(text(secret)).toBe(successor.reveal())
    const error = await failure(target.write(successor, before))
    expect(error.code).toBe('target-changed')
    expect(text(secret)).toBe(third.reveal())
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED', '3 DISABLED', '4 ENABLED'])
  })

  test('an answer that was lost is no second version', async () => {
    const { target, secret, before } = await held()
    stage.google.afterNextWrite = async () => {
      throw new Status('UNAVAILABLE', 'cut off')
    }
    expect((await failure(target.write(successor, before))).code).toBe('target-unclear')
    await target.write(successor, before)
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 ENABLED'])
  })

  test.each(['write', 'restore'] as const)(
    'in another field, and we were killed before we saw it: %s brings theirs back',
    async (next) => {
      const { place, target, secret, before } = await held({ field: 'key' })
      const edit = (from: string, to: string) => add(secret, (text(secret) ?? '').replace(from, to))
      stage.google.beforeNextWrite = async () => void edit('"app"', '"theirs"')
      stage.google.afterNextWrite = async () => {
        throw new Status('UNAVAILABLE', 'cut off')
      }
      expect((await failure(target.write(successor, before))).code).toBe('target-unclear')
      expect(text(secret)).toContain('"app"')
      if (next === 'write') await target.write(successor, before)
      else await target.restore(before, successor)
      expect(await place.value()).toBe((next === 'write' ? successor : old).reveal())
      expect(text(secret)).toContain('"theirs"')
      expect(stage.versions(secret).slice(0, 4)).toEqual([
        '1 ENABLED',
        '2 ENABLED',
        '3 DISABLED',
        '4 ENABLED',
      ])
    },
  )

  test('in another field, twice, before we wrote: what ours was made of is the newer of them', async () => {
    const { place, target, secret, before } = await held({ field: 'key' })
    add(secret, (text(secret) ?? '').replace('"app"', '"first"'))
    add(secret, (text(secret) ?? '').replace('"first"', '"second"'))
    await target.write(successor, before)
    await target.write(successor, before)
    expect(stage.versions(secret)).toHaveLength(4)
    await target.restore(before, successor)
    expect(await place.value()).toBe(old.reveal())
    expect(text(secret)).toContain('"second"')
    expect(stage.versions(secret).slice(3)).toEqual(['4 DISABLED', '5 ENABLED'])
  })

  test('what others built on ours is not disabled by an undo, and ours is', async () => {
    const { place, target, secret, before } = await held({ field: 'key' })
    await target.write(successor, before)
    add(secret, (text(secret) ?? '').replace('"app"', '"theirs"'))
    await target.restore(before, successor)
    expect(await place.value()).toBe(old.reveal())
    expect(text(secret)).toContain('"theirs"')
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 DISABLED', '3 ENABLED', '4 ENABLED'])
  })

  test('a version of others that is the same as ours is not disabled by an undo', async () => {
    const { target, secret, before } = await held()
    await target.write(successor, before)
    add(secret, successor.reveal())
    await target.restore(before, successor)
    expect(stage.versions(secret)).toEqual(['1 ENABLED', '2 DISABLED', '3 ENABLED', '4 ENABLED'])
  })

  test('what others built on ours since is theirs, and stays', async () => {
    const { target, secret, before } = await held({ field: 'key' })
    await target.write(successor, before)
    add(secret, (text(secret) ?? '').replace('"app"', '"theirs"'))
    await target.write(successor, before)
    expect(text(secret)).toContain('"theirs"')
    expect(stage.versions(secret)).toHaveLength(3)
  })
})

test('throttled between: what is asked again is asked with the clock', async () => {
  const { place, before } = await held()
  const target = targetAt(place.spec, { clock: hurried })
  let count = 0
  stage.google.fault = () =>
    (count += 1) % 2 ? new Status('RESOURCE_EXHAUSTED', 'Quota exceeded.') : undefined
  await target.write(successor, before)
  stage.google.fault = undefined
  expect(await place.value()).toBe(successor.reveal())
})
