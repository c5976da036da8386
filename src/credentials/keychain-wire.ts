// What the program and the process that calls the keychain say to each other: a line of JSON each way.

/** `peek` is a `read` that asks no person for anything, and fails where it would. `read`, and `write` and `remove` with a look at what is there afterwards; `prove` writes an entry of its own. */
export type KeychainRequest = {
  service: string
  account: string
  /** When the process ends itself, should nobody have ended it before. */
  limitMs: number
} & ({ operation: 'read' | 'peek' | 'remove' | 'prove' } | { operation: 'write'; secret: string })

export type KeychainAnswer =
  /** What the entry holds now; null where there is none. */
  | { held: string | null }
  /** `load`: the binding is not there, or not for this system. The message is the binding's. */
  | { failed: 'load' | 'call'; message: string }
