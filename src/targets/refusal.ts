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
