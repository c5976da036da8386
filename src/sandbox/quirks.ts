import type { Fault } from './faults.ts'

/** How the answer to one request differs from the contract, by the faults that struck it. */
export interface Quirks {
  /** Added to every instant that is shown. */
  skewMs: number
  hideYoungerThanMs: number
  ignoreIdempotency: boolean
  neverAccept: boolean
  bare: boolean
  plainErrors: boolean
  listName: string | undefined
  secretName: string
  /** Where a request is from, whatever its headers say. */
  country: string | undefined
  mysteryShape: boolean
  duplicateFields: boolean
}

export function quirksOf(faults: readonly Fault[]): Quirks {
  const find = (name: Fault['name']) => faults.find((fault) => fault.name === name)
  return {
    skewMs: (find('clock+')?.ms ?? 0) - (find('clock-')?.ms ?? 0),
    hideYoungerThanMs: find('lag-list')?.ms ?? 0,
    ignoreIdempotency: find('ignore-idempotency') !== undefined,
    neverAccept: find('refuse-new') !== undefined,
    bare: find('bare') !== undefined,
    plainErrors: find('plain-errors') !== undefined,
    listName: find('list-under')?.word,
    secretName: find('other-secret-name')?.word ?? 'secret',
    country: find('country')?.word,
    mysteryShape: find('mystery-shape') !== undefined,
    duplicateFields: find('duplicate-fields') !== undefined,
  }
}
