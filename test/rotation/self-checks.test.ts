import { describe, expect, it } from 'vitest'
import type { Client, Key } from '../../src/api/contract.ts'
import { KeysError } from '../../src/errors.ts'
import type { JournalEntry } from '../../src/rotation/journal.ts'
import type { RotationOptions, RotationServices } from '../../src/rotation/run.ts'
import {
  refuseEmptyForSelf,
  refuseOthersEscrow,
  refuseOtherThanSelf,
  refuseWrongSelf,
} from '../../src/rotation/self.ts'
import type { Journal, OldKey } from '../../src/rotation/state.ts'
import { Secret } from '../../src/secret.ts'

const credential = new Secret('pk_live_adminAdminAdmin01')
const other = new Secret('pk_live_otherOtherOther02')
const optionsOf = (options: Partial<RotationOptions>) => options as RotationOptions

describe('whether the key is the credential in use', () => {
  /** What refuses a line without and with `--self`; undefined where nothing does. */
  async function refusals({
    access = 'admin',
    owner,
    secret,
    otherAdmin = false,
  }: {
    access?: OldKey['access'] | 'unsaid'
    owner?: string
    secret?: Secret
    otherAdmin?: boolean
  }) {
    const api = { whose: async () => owner } as Partial<Client> as Client
    const old = { id: 'key_a', name: 'a', type: 'live', access: access === 'unsaid' ? undefined : access }
    const others = [{ access: 'full' }, ...(otherAdmin ? [{ access: 'admin' }] : [])] as Key[]
    const start = { old: old as OldKey, account: { old: undefined, successors: [], others } }
    const services = { api, credential } as RotationServices
    const said = (self: boolean) =>
      refuseWrongSelf(services, optionsOf({ self }), start, secret).then(
        () => undefined,
        (error: Error) => error.message,
      )
    return [await said(false), await said(true)]
  }
  const isIt = ['key_a is the admin key in use', undefined]
  const isNot = [undefined, 'key_a is not the admin key in use']
  const cannotTell = ['cannot tell whether key_a is the admin key in use', undefined]

  it.each([
    ['it is no admin key', { access: 'full' }, isNot],
    ['the audit log says so', { owner: 'key_a', otherAdmin: true }, isIt],
    ['the audit log says so, whatever a target held', { owner: 'key_a', secret: other }, isIt],
    ['the audit log names another', { owner: 'key_b', secret: credential }, isNot],
    ['a target holds the credential', { secret: credential, otherAdmin: true }, isIt],
    ['a target holds the credential, and access is not said', { access: 'unsaid', secret: credential }, isIt],
    ['it is the only admin key', {}, isIt],
    ['another admin key may be it', { otherAdmin: true }, cannotTell],
    ['a target holds another secret', { secret: other, otherAdmin: true }, isNot],
    ['access is not said, and a target holds another secret', { access: 'unsaid', secret: other }, isNot],
    ['access is not said, and nothing tells', { access: 'unsaid' }, [undefined, undefined]],
  ] as const)('where %s', async (_why, facts, expected) => {
    expect(await refusals(facts)).toEqual(expected)
  })
})

describe('a place that does not hold the credential', () => {
  it.each([
    [{ self: true, evidence: true }, true],
    [{ self: false, evidence: true }, false],
    [{ self: true, evidence: false }, false],
    [{ self: true, evidence: true, compromised: 'no-overlap' }, false],
  ] as const)('and is empty, with %j: refused %s', (given, isRefused) => {
    const options = optionsOf({ targets: [], compromised: undefined, ...given })
    const refuse = (unheld: boolean) => () => refuseEmptyForSelf(options, unheld)
    expect(refuse(false)).not.toThrow()
    if (isRefused) expect(refuse(true)).toThrow('does not hold the admin key yet')
    else expect(refuse(true)).not.toThrow()
  })

  it('is refused where it holds another secret', () => {
    const refuse = (value: Secret) => () => refuseOtherThanSelf(credential, 'it', value)
    expect(refuse(new Secret(''))).not.toThrow()
    expect(refuse(credential)).not.toThrow()
    expect(refuse(other)).toThrow('it is not the admin key in use')
  })
})

describe('other rotations, whose escrow only the credential opens', () => {
  const entry = (id: string, journal: Partial<Journal> & { of?: string } = {}) => {
    const { of = 'key_b', ...rest } = journal
    const all = { id, apiUrl: 'https://here', state: 'overlapping', oldKey: { id: of }, ...rest }
    return { path: id, oldKeyId: of, rotationId: id, journal: all } as JournalEntry
  }
  const problem = new KeysError('journal-unreadable', 'it is torn')
  const spoilt: JournalEntry = { path: 'cccccc', oldKeyId: 'key_b', rotationId: 'cccccc', problem }
  const refuse = (entries: JournalEntry[], options: Partial<RotationOptions> = {}) => {
    const journals = { list: async () => entries } as Partial<RotationServices['journals']>
    const services = { api: { baseUrl: 'https://here' }, journals } as RotationServices
    return refuseOthersEscrow(services, optionsOf({ self: true, ...options }), 'key_a')
  }

  it('keep it from being rotated while they are open', async () => {
    await expect(refuse([entry('aaaaaa'), entry('bbbbbb')])).rejects.toThrow(/: aaaaaa, bbbbbb$/)
  })

  it.each([
    ['it is not the credential', [entry('aaaaaa')], { self: false }],
    ['it is compromised', [entry('aaaaaa')], { compromised: 'no-overlap' }],
    ['they are over', [entry('aaaaaa', { state: 'done' }), entry('bbbbbb', { state: 'aborted' })], {}],
    ['they are of another API', [entry('aaaaaa', { apiUrl: 'https://there' })], {}],
    ['it is this one, which goes on', [entry('aaaaaa', { of: 'key_a' })], {}],
    ['nobody can read them', [spoilt], {}],
  ] as const)('do not where %s', async (_why, entries, options) => {
    await refuse([...entries], options)
  })
})
