import { expect, test } from 'vitest'
import { secretInTree } from '../../../src/audit/rules/secret-in-tree.ts'
import type { Survey, TreeSecret } from '../../../src/audit/survey.ts'
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
  isOpen: false,
  mayBeOf: undefined,
  isOwn: false,
  ownVariable: undefined,
  probe: undefined,
  keyId: undefined,
}
const searched = (secret: TreeSecret): Survey['tree'] => ({
  known: true,
  value: { secrets: [secret], hasRepository: true, files: 1, unread: 0, strangers: [], isCut: false },
})
const held = (fields: Partial<TreeSecret> = {}) =>
  checked(secretInTree, [surveyed()], { tree: searched({ ...inApp, ...fields }) })

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
  [{ state: 'in-index' }, 'error'],
  [{ state: 'in-index', probe: 'refused' }, 'note'],
  [{ state: 'no-repository' }, 'note'],
  [{ state: 'no-repository', isOpen: true }, 'note'],
  [{ state: 'no-repository', probe: 'accepted' }, 'note'],
  [{ state: 'no-repository', probe: 'accepted', isOpen: true }, 'error'],
  [{ state: 'no-repository', isOwn: true, isOpen: true }, 'error'],
  [{ mayBeOf: 'Stripe' }, 'note'],
  [{ mayBeOf: 'Stripe', probe: 'unknown' }, 'note'],
  [{ mayBeOf: 'Stripe', probe: 'accepted' }, 'error'],
  [{ mayBeOf: 'Stripe', isOwn: true }, 'error'],
  [{ isOwn: true, state: 'not-ignored' }, 'error'],
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

test('what may be another service’s is said to be, until it works', () => {
  expect(held({ mayBeOf: 'Clerk' })).toMatchObject([
    {
      message: expect.stringMatching(/; it may be a publishable key of Clerk, which is no secret$/) as string,
      evidence: { mayBeOf: 'Clerk' },
    },
  ])
  for (const fields of [{ probe: 'accepted' }, { isOwn: true }] as const) {
    const [finding] = held({ mayBeOf: 'Clerk', ...fields })
    expect(finding?.message).not.toContain('Clerk')
    expect(finding?.evidence).not.toHaveProperty('mayBeOf')
  }
})

test('the admin key in use is rotated as such', () => {
  expect(held({ isOwn: true })).toMatchObject([
    {
      message: expect.stringContaining('it is the admin key in use') as string,
      mend: ['pictify-keys', 'rotate', '--self', '--compromised'],
    },
  ])
})

test('one of the environment goes to where that has it from, which a person is asked for', () => {
  const own = { ...inApp, isOwn: true, ownVariable: 'PICTIFY_ADMIN_KEY' }
  const key = surveyed({ id: 'key_admin1', name: 'Team admin', access: 'admin' })
  const heldOwn = (fields: Partial<TreeSecret> = {}, ownKeyId: string | undefined = key.id) =>
    checked(secretInTree, [key], { tree: searched({ ...own, ...fields }), ownKeyId })[0]
  expect(heldOwn()).toMatchObject({
    key: { id: 'key_admin1' },
    message: expect.stringMatching(/; say with --to where PICTIFY_ADMIN_KEY is kept$/) as string,
    mend: ['pictify-keys', 'rotate', 'key_admin1', '--compromised'],
  })
  const inFile = heldOwn({ file: '.env', variable: 'PICTIFY_ADMIN_KEY' })
  expect(inFile?.message).not.toContain('--to')
  expect(inFile?.mend).toEqual([
    ...['pictify-keys', 'rotate', '--self', '--compromised'],
    ...['--to', 'env:.env#PICTIFY_ADMIN_KEY'],
  ])
})

test.each<[Partial<TreeSecret>, readonly string[] | undefined]>([
  [{ file: '.env' }, ['git', 'rm', '--cached', '--', '.env']],
  [{ file: 'app/.env.production' }, ['git', '-C', 'app', 'rm', '--cached', '--', '.env.production']],
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
  expect(held({ ...known, state: 'in-index' })[0]?.mend).toEqual(line)
  expect(held({ ...known, file: 'app/.env.example' })[0]?.mend).toEqual(line)
  expect(held({ ...known, file: 'prod.env' })[0]?.mend).toEqual([
    ...line,
    ...['--to', 'env:prod.env#PICTIFY_API_KEY'],
  ])
  // or the next commit would have the new one too
  expect(held({ ...known, state: 'tracked' })).toMatchObject([
    { mendFirst: ['git', '-C', 'app', 'rm', '--cached', '--', '.env'], mend: [...line, ...place] },
  ])

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
    tree: searched({ ...inApp, ...known }),
  } as const
  expect(checked(secretInTree, [surveyed()], more)[0]?.mend).toEqual([
    ...line,
    ...['--to', 'file:secret', '--verify', 'true'],
  ])
})

test('in a file of no repository a key is not said to have leaked: others are kept from reading it', () => {
  const fields: Partial<TreeSecret> = {
    file: 'prod.env',
    state: 'no-repository',
    probe: 'accepted',
    keyId: 'key_abc123',
    isOwn: true,
  }
  expect(held(fields).map(({ mend }) => mend)).toEqual([undefined])
  expect(held({ ...fields, isOpen: true }).map(({ mend }) => mend)).toEqual([
    ['chmod', '600', '--', 'prod.env'],
  ])
})
