import { describe, expect, it } from 'vitest'
import { open, seal, type Escrowed } from '../../src/rotation/escrow.ts'
import { Secret } from '../../src/secret.ts'

const admin = new Secret('pk_live_adminAdminAdmin01')
const other = new Secret('pk_live_otherOtherOther02')
const content: Escrowed = {
  successor: new Secret('pk_live_successor00000003'),
  old: new Secret('pk_live_oldoldoldold00004'),
  held: new Map([['env:.env', { value: new Secret('pk_live_held000000000005'), version: 'quoted "' }]]),
}

describe('escrow', () => {
  it('opens for the credential it was sealed for, with all that was in it', () => {
    const opened = open(seal(content, 'aaaaaa', [admin]), 'aaaaaa', admin)
    expect(opened.successor?.reveal()).toBe(content.successor?.reveal())
    expect(opened.old?.reveal()).toBe(content.old?.reveal())
    const held = opened.held.get('env:.env')
    expect(held?.value.reveal()).toBe('pk_live_held000000000005')
    expect(held?.version).toBe('quoted "')
  })

  it('of a rotation that has no secret yet holds none', () => {
    const empty: Escrowed = { successor: undefined, old: undefined, held: new Map() }
    expect(open(seal(empty, 'aaaaaa', [admin]), 'aaaaaa', admin)).toEqual(empty)
  })

  it('opens for each of several credentials', () => {
    const sealed = seal(content, 'aaaaaa', [admin, other])
    for (const credential of [admin, other]) {
      expect(open(sealed, 'aaaaaa', credential).successor?.reveal()).toBe(content.successor?.reveal())
    }
  })

  it('opens for no other credential, and says what to do', () => {
    const sealed = seal(content, 'aaaaaa', [admin])
    expect(() => open(sealed, 'aaaaaa', other)).toThrow(
      expect.objectContaining({ code: 'escrow-locked', exit: 7 }),
    )
  })

  it('does not open in another rotation, nor when a bit of it was changed', () => {
    const sealed = seal(content, 'aaaaaa', [admin])
    expect(() => open(sealed, 'bbbbbb', admin)).toThrow(/sealed for another/)
    for (const part of ['salt', 'iv', 'tag', 'data'] as const) {
      const [box] = structuredClone(sealed)
      if (box === undefined) return expect.fail()
      const bytes = Buffer.from(box[part], 'base64')
      bytes[0] = (bytes[0] ?? 0) ^ 1
      box[part] = bytes.toString('base64')
      expect(() => open([box], 'aaaaaa', admin), part).toThrow(/sealed for another/)
    }
  })

  it('shows nothing of what is in it, and never the same bytes twice', () => {
    const [one, two] = [seal(content, 'aaaaaa', [admin]), seal(content, 'aaaaaa', [admin])]
    const text = JSON.stringify(one)
    for (const secret of [content.successor, content.old, admin]) {
      expect(text).not.toContain(secret?.reveal().slice(8))
      expect(text).not.toContain(
        Buffer.from(secret?.reveal() ?? '')
          .toString('base64')
          .slice(4, 20),
      )
    }
    expect(one[0]?.data).not.toBe(two[0]?.data)
    expect(one[0]?.salt).not.toBe(two[0]?.salt)
  })
})
