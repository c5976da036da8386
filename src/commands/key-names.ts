import { checkName } from '../api/name.ts'
import type { Context } from '../context.ts'
import { KeysError } from '../errors.ts'
import { parseMark } from '../rotation/marked-name.ts'

/** The name of a key, as it was typed or is asked for now. Throws `invalid-name`, and what the question throws. */
export async function keyName(
  { prompt }: Context,
  typed: string | undefined,
  question: string,
  initial?: string,
): Promise<string> {
  if (typed !== undefined) {
    refuseName(typed)
    return typed
  }
  return prompt.text(question, '<name>', { check: refuseName, initial })
}

function refuseName(name: string): void {
  checkName(name)
  if (parseMark(name) === undefined) return
  throw new KeysError('invalid-name', 'the name is of the form that marks a rotation', {
    hint: 'choose another',
  })
}
