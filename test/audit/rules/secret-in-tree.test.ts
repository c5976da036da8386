import { expect, test } from 'vitest'
import { secretInTree } from '../../../src/audit/rules/secret-in-tree.ts'
import type { TreeSecret } from '../../../src/audit/survey.ts'
import type { Fleet } from '../../../src/fleet/fleet.ts'
import { surveyed } from '../survey-fixture.ts'
import { checked } from './checked.ts'

const inApp: TreeSecret = {
  file: 'src/app.js',
  line: 12,
  masked: 'pk_live_…d4Hs',
  variable: undefined,
  encoding: undefined,
  state: 'tracked',
  mayBeOthers: false,
  isOwn: false,
  probe: undefined,
  keyId: undefined,
}
const held = (fields: Partial<TreeSecret> = {}) =>
  checked(secretInTree, [surveyed()], { tree: { known: true, value: [{ ...inApp, ...fields }] } })

test('a secret in a file that git tracks is an error, with its place', () => {
  expect(held()).toEqual([
    {
      rule: 'secret-in-tree',
      severity: 'error',
      key: undefined,
      message:
        'pk_live_…d4Hs stands in a file that git tracks: take it out, and rotate its key, for history keeps it',
      evidence: { secret: 'pk_live_…d4Hs', file: 'tracked by git', works: 'not asked' },
      mend: ['pictify-keys', 'audit', '--rule', 'secret-in-tree', '--probe'],
      place: { file: 'src/app.js', line: 12 },
    },
  ])
})

test.each<[Partial<TreeSecret>, string]>([
  [{}, 'error'],
  [{ probe: 'accepted' }, 'error'],
  [{ probe: 'unknown' }, 'error'],
  [{ probe: 'refused' }, 'note'],
  [{ state: 'not-ignored' }, 'warning'],
  [{ state: 'not-ignored', probe: 'accepted' }, 'error'],
  [{ state: 'not-ignored', probe: 'unknown' }, 'warning'],
  [{ state: 'not-ignored', probe: 'refused' }, 'note'],
  [{ state: 'no-repository' }, 'note'],
  [{ state: 'no-repository', probe: 'accepted' }, 'warning'],
  [{ mayBeOthers: true }, 'note'],
  [{ mayBeOthers: true, probe: 'accepted' }, 'error'],
])('%j is a finding of severity %s', (fields, severity) => {
  expect(held(fields).map((finding) => finding.severity)).toEqual([severity])
})

test.each<[TreeSecret['probe'], RegExp]>([
  ['accepted', /; it works$/],
  ['refused', /; it works no more$/],
  ['unknown', /; whether it works, the API did not say$/],
])('says what the API said: %s', (probe, words) => {
  expect(held({ probe })[0]?.message).toMatch(words)
})

test('where its key is known, it is about that key, and the key is rotated as one that leaked', () => {
  expect(held({ probe: 'accepted', keyId: 'key_abc123' })).toMatchObject([
    {
      key: { id: 'key_abc123', name: 'Production Server' },
      mend: ['pictify-keys', 'rotate', 'key_abc123', '--compromised'],
    },
  ])
})

test('the admin key in use is rotated as such', () => {
  expect(held({ isOwn: true })).toMatchObject([
    {
      message: expect.stringContaining('it is the admin key in use') as string,
      mend: ['pictify-keys', 'rotate', '--self', '--compromised'],
    },
  ])
})

test.each<[Partial<TreeSecret>, readonly string[] | undefined]>([
  [{ file: 'app/.env.production' }, ['git', 'rm', '--cached', '--', 'app/.env.production']],
  [{ file: 'app/.env.production', state: 'not-ignored' }, undefined],
  [{ file: 'src/env.ts' }, undefined],
])('of what works no more, %j is mended by %j', (fields, line) => {
  expect(held({ ...fields, probe: 'refused' }).map(({ mend }) => mend)).toEqual([line])
})

test('what an application reads from an environment file is put there anew, unless the keys file says where', () => {
  const env: Partial<TreeSecret> = { file: 'app/.env', variable: 'PICTIFY_API_KEY', state: 'not-ignored' }
  const place = ['--to', 'env:app/.env#PICTIFY_API_KEY']
  expect(held({ ...env, isOwn: true })[0]?.mend).toEqual([
    'pictify-keys',
    'rotate',
    '--self',
    '--compromised',
    ...place,
  ])
  const known: Partial<TreeSecret> = { ...env, probe: 'accepted', keyId: 'key_abc123' }
  const line = ['pictify-keys', 'rotate', 'key_abc123', '--compromised']
  expect(held(known)[0]?.mend).toEqual([...line, ...place])
  expect(held({ ...known, file: 'app/config.sh' })[0]?.mend).toEqual(line)
  expect(held({ ...known, state: 'tracked' })[0]?.mend).toEqual(line)

  const key = {
    key: 'key_abc123',
    line: 3,
    type: undefined,
    maxAgeMs: undefined,
    overlapMs: 1_000,
    verify: 'true',
  }
  const fleet = { keys: [{ ...key, to: ['file:secret'] }] } as unknown as Fleet
  const more = {
    fleet: { known: true, value: fleet },
    tree: { known: true, value: [{ ...inApp, ...known }] },
  } as const
  expect(checked(secretInTree, [surveyed()], more)[0]?.mend).toEqual([
    ...line,
    ...['--to', 'file:secret', '--verify', 'true'],
  ])
})

test('in a file of no repository a key is not said to have leaked', () => {
  const fields: Partial<TreeSecret> = {
    state: 'no-repository',
    probe: 'accepted',
    keyId: 'key_abc123',
    isOwn: true,
  }
  expect(held(fields).map(({ mend }) => mend)).toEqual([undefined])
})
