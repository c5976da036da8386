import { KeysError } from '../errors.ts'

/** What keeps a target from being used, and what to do about it; the target's name is put before it later. */
export function refusal(message: string, hint: string, cause?: unknown): KeysError {
  return new KeysError('target-refused', message, { hint, cause })
}

/** All that is wrong as one error, so that one run tells everything there is to mend. */
export function together(problems: readonly KeysError[], name?: string): KeysError {
  const message = problems.map((problem) => problem.message).join('; ')
  const hints = [...new Set(problems.flatMap((problem) => problem.hint ?? []))]
  return new KeysError(
    problems[0]?.code ?? 'target-refused',
    name === undefined ? message : `${name}: ${message}`,
    {
      hint: hints.length > 0 ? hints.join('; ') : undefined,
      cause: problems[0]?.cause,
    },
  )
}

/** For targets that take a value and never show it. */
export function oneWay(name: string): KeysError {
  return new KeysError('target-failed', `${name}: what it holds cannot be read back`, {
    hint: 'it can only be written',
  })
}

export function unknownBefore(name: string): KeysError {
  return new KeysError(
    'target-failed',
    `${name}: what it held before is not known, so it cannot be put back`,
    {
      hint: 'give the old secret by --old-secret-stdin',
    },
  )
}
