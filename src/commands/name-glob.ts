import { KeysError } from '../errors.ts'

/** Whether a key's name fits a glob; `*` stands for anything, slashes and a leading dot too. Throws `usage`. */
export async function createNameGlob(glob: string): Promise<(name: string) => boolean> {
  const refuse = (cause?: unknown) =>
    new KeysError('usage', `"${glob}" is not a glob`, {
      hint: 'close every bracket, or write \\[ for the character itself; * stands for anything, ? for one character',
      cause,
    })
  if (glob === '') throw refuse()
  const { default: picomatch } = await import('picomatch')
  try {
    // debug: what does not become a regular expression throws, where else it would silently fit nothing
    return picomatch(glob, { bash: true, dot: true, nonegate: true, strictBrackets: true, debug: true })
  } catch (cause) {
    throw refuse(cause)
  }
}
