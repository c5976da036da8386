// What others do to a Secret meanwhile, what of our own making goes with an undo, and what is no answer of a cluster.
import { describe, expect, inject, test } from 'vitest'
import { failure, old, successor, third } from './contract-fixture.ts'
import { type ClusterFacts } from './kubernetes-cluster.ts'
import { base64, isWrite, useSecret } from './kubernetes-fixture.ts'

const server = inject('servers')['kubernetes'] as ClusterFacts | undefined

describe.skipIf(!server)('a Secret with others at it', () => {
  const { at, change, cluster, isThere, make, proxy, secret, target, warnings } = useSecret(server)

  describe('of our own making', () => {
    const created = () => target({ createTarget: true })

    test('is Opaque, labelled, and holds the one key', async () => {
      await created().check()
      expect(await isThere()).toBe(false)
      await created().write(successor, undefined)
      const { data, type, metadata } = await secret()
      expect({ data, type }).toEqual({ data: { KEY: base64(successor.reveal()) }, type: 'Opaque' })
      expect(metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'pictify-keys' })
      await target().check()
      expect(warnings).toEqual([])
    })

    test.each<[string, object]>([
      ['a key', { data: { THEIRS: base64('x') } }],
      ['a label', { metadata: { labels: { theirs: 'x' } } }],
      ['an annotation', { metadata: { annotations: { theirs: 'x' } } }],
    ])('stays at an undo when somebody has added %s to it, without our key', async (_what, addition) => {
      await created().write(successor, undefined)
      await change(addition)
      await target().restore(undefined, successor)
      expect(await secret()).toMatchObject(addition)
      expect((await secret()).data ?? {}).not.toHaveProperty('KEY')
      await target().restore(undefined, successor)
    })

    test('is not deleted when somebody adds to it while the undo is on its way', async () => {
      await created().write(successor, undefined)
      proxy().beforeNext(
        ({ method }) => method === 'DELETE',
        async () => void (await change({ data: { THEIRS: base64('x') } })),
      )
      await target().restore(undefined, successor)
      expect((await secret()).data).toEqual({ THEIRS: base64('x') })
    })

    test('made for another key, it stays', async () => {
      await created().write(successor, undefined)
      await change({ data: { KEY: null } })
      await target({}, 'SECOND').write(successor, undefined)
      await target({}, 'SECOND').restore(undefined, successor)
      expect(await isThere()).toBe(true)
    })

    test('somebody else makes it first: theirs wins', async () => {
      proxy().beforeNext(
        ({ method, url = '' }) => method === 'POST' && /secrets(\?|$)/.test(url),
        async () => void (await make({ data: { KEY: base64(third.reveal()) } })),
      )
      expect((await failure(created().write(successor, undefined))).code).toBe('target-changed')
      expect((await secret()).data).toEqual({ KEY: base64(third.reveal()) })
    })

    test('somebody makes it meanwhile with another key: both are there', async () => {
      proxy().beforeNext(
        ({ method, url = '' }) => method === 'POST' && /secrets(\?|$)/.test(url),
        async () => void (await make({ data: { THEIRS: base64('x') } })),
      )
      await created().write(successor, undefined)
      expect((await secret()).data).toEqual({ KEY: base64(successor.reveal()), THEIRS: base64('x') })
    })
  })

  describe('others meanwhile', () => {
    test('change another key: both changes are there', async () => {
      await make()
      proxy().beforeNext(isWrite, async () => void (await change({ data: { OTHER: base64('new') } })))
      await target().write(successor, { value: old })
      expect((await secret()).data).toEqual({ KEY: base64(successor.reveal()), OTHER: base64('new') })
    })

    test('delete it: it is not made anew', async () => {
      await make()
      proxy().beforeNext(isWrite, async () => void (await cluster().ask('DELETE', `${at()}/app`)))
      expect((await failure(target().write(successor, { value: old }))).code).toBe('target-changed')
      expect(await isThere()).toBe(false)
    })

    test('delete it and make it anew with the same version of ours: theirs is looked at first', async () => {
      await make()
      proxy().beforeNext(isWrite, async () => {
        await cluster().ask('DELETE', `${at()}/app`)
        await make({ data: { KEY: base64(third.reveal()) } })
      })
      expect((await failure(target().write(successor, { value: old }))).code).toBe('target-changed')
      expect((await secret()).data).toEqual({ KEY: base64(third.reveal()) })
    })

    test('make it immutable: it is said', async () => {
      await make()
      proxy().beforeNext(isWrite, async () => void (await change({ immutable: true })))
      expect((await failure(target().write(successor, { value: old }))).message).toMatch(/immutable/)
    })

    test('change it during check: that a write was not tried is a warning', async () => {
      await make()
      proxy().beforeNext(
        ({ method }) => method === 'PATCH',
        async () => void (await change({ data: { OTHER: base64('new') } })),
      )
      await target().check()
      expect(warnings).toEqual([expect.stringContaining('a write could not be tried')])
    })
  })

  describe('what answers is no cluster', () => {
    test.each([
      ['a page that is not there', 404, 'text/html', '<h1>404</h1>'],
      [
        'a path that a cluster does not know',
        404,
        'application/json',
        '{"kind":"Status","reason":"NotFound","details":{}}',
      ],
      [
        'that something else is absent',
        404,
        'application/json',
        '{"kind":"Status","reason":"NotFound","details":{"kind":"pods"}}',
      ],
      ['a secret without a version', 200, 'application/json', '{"kind":"Secret","metadata":{},"data":{}}'],
      ['something else in JSON', 200, 'application/json', '{}'],
      ['a page to sign in', 200, 'text/html', '<form>'],
      ['half an answer', 200, 'application/json', '{"kind":"Secret","data":{"KEY":"'],
    ])('%s is no proof that it is absent', async (_what, status, type, body) => {
      await make()
      const end = await proxy().fail('forbidden', () => ({ status, headers: { 'content-type': type }, body }))
      try {
        expect((await failure(target().read())).code).toBe('target-failed')
        expect((await failure(target({ createTarget: true }).check())).code).toBe('target-failed')
      } finally {
        await end()
      }
    })
  })

  test('an answer that is lost: the write is found done, once', async () => {
    await make()
    let lost = 0
    proxy().watch((request) => {
      if (!isWrite(request) || lost > 0) return
      lost++
      // it reaches the cluster, and its answer nobody
      setTimeout(() => request.socket.destroy(), 150)
    })
    try {
      await target().write(successor, { value: old })
    } finally {
      proxy().watch(() => undefined)
    }
    expect(lost).toBe(1)
    expect((await secret()).data?.['KEY']).toBe(base64(successor.reveal()))
  })
})
