// Numbers that look drawn and are worked out: always the same for the same text and number, at no cost to keep.

/** Where the draws of a text begin: 32 bits. */
export function seedOf(text: string): number {
  let hash = 2_166_136_261
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 16_777_619)
  return mixed(hash)
}

/** Draws of their own, for another purpose. */
export const stream = (seed: number, purpose: number): number =>
  mixed(seed ^ Math.imul(purpose, 2_246_822_507))

/** The n-th draw: at least 0, less than 1. */
export const chance = (seed: number, n: number): number => mixed(seed + Math.imul(n, 2_654_435_769)) / 2 ** 32

function mixed(bits: number): number {
  let hash = bits ^ (bits >>> 16)
  hash = Math.imul(hash, 2_246_822_507)
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909)
  return (hash ^ (hash >>> 16)) >>> 0
}

/**
 * How many of the things that come one to each unit of a scale, each somewhere in its own, lie before `value`. Evenly
 * spread and yet not regular, and counted without looking at any but one.
 */
export function reached(value: number, seed: number): number {
  const whole = Math.floor(value)
  return whole + (chance(seed, whole) < value - whole ? 1 : 0)
}
