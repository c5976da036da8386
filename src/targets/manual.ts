import { KeysError } from '../errors.ts'
import { oneWay, unknownBefore } from './refusal.ts'
import type { Target, TargetDeps } from './target.ts'

/** A place that a person fills in: shown the secret, they put it there and say so. */
export function createManualTarget({
  name,
  label,
  deps,
}: {
  name: string
  label: string
  deps: TargetDeps
}): Target {
  function ask() {
    if (deps.showSecret) return deps.showSecret
    throw new KeysError('needs-answer', `${name}: nobody is there to put the key in its place`, {
      hint: 'run it in a terminal, or let a program do it: --to exec:<command>, env:<file> or file:<path>',
    })
  }

  return {
    name,
    place: label,
    readback: 'none',

    async check() {
      ask()
    },

    async read() {
      throw oneWay(name)
    },

    async write(secret, _expected, signal) {
      signal?.throwIfAborted()
      await ask()(label, secret, 'write')
    },

    async restore(held, _written, signal) {
      signal?.throwIfAborted()
      if (!held) throw unknownBefore(name)
      await ask()(label, held.value, 'restore')
    },
  }
}
