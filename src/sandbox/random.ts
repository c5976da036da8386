import { createCipheriv, createHash, randomBytes } from 'node:crypto'

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Chance; the same seed gives the same draws in the same order. */
export interface Random {
  /** At least 0, less than 1. */
  fraction(): number
  pick<T>(choices: readonly T[]): T
  /** `length` letters and digits, all equally likely; lower case alone with `lower`. */
  text(length: number, lower?: 'lower'): string
  /** Draws of its own, which do not depend on how many were made here. */
  fork(purpose: string): Random
}

/** The keystream of a cipher under the seed; without a seed it cannot be foretold, and is fit for secrets. */
export function createRandom(seed?: string): Random {
  const origin =
    seed === undefined ? randomBytes(16) : createHash('sha256').update(seed).digest().subarray(0, 16)
  const cipher = createCipheriv('aes-128-ctr', origin, Buffer.alloc(16))
  const zeros = Buffer.alloc(4096)
  let bytes = Buffer.alloc(0)
  let next = 0

  const byte = () => {
    if (next >= bytes.length) {
      bytes = cipher.update(zeros)
      next = 0
    }
    return bytes[next++] as number
  }
  const fraction = () => {
    let value = 0
    for (let i = 0; i < 4; i++) value = value * 256 + byte()
    return value / 2 ** 32
  }
  return {
    fraction,
    pick: (choices) => choices[Math.floor(fraction() * choices.length)] as (typeof choices)[number],
    text(length, lower) {
      const from = lower ? alphanumeric.slice(26) : alphanumeric
      const fair = 256 - (256 % from.length)
      let text = ''
      while (text.length < length) {
        const value = byte()
        if (value < fair) text += from[value % from.length]
      }
      return text
    },
    fork: (purpose) => createRandom(`${origin.toString('hex')}:${purpose}`),
  }
}
