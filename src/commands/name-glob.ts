import { KeysError } from '../errors.ts'

/** Tells whether a key's name fits. */
export type NameGlob = (name: string) => boolean

/** Whether a key's name fits a glob; `*` stands for anything, slashes and a leading dot too. Throws `usage`. */
export async function createNameGlob(glob: string): Promise<NameGlob> {
  return (await loadNameGlobs())(glob)
}

/** As `createNameGlob`, for several. */
export async function loadNameGlobs(): Promise<(glob: string) => NameGlob> {
  const { default: picomatch } = await import('picomatch')
  return (glob) => {
    const refuse = (cause?: unknown) =>
      new KeysError('usage', `"${glob}" is not a glob`, {
        hint: 'close every bracket, or write \\[ for the character itself; * stands for anything, ? for one character',
        cause,
      })
    if (glob === '') throw refuse()
    try {
      // debug: what does not become a regular expression throws, where else it would silently fit nothing
      return picomatch(glob, { bash: true, dot: true, nonegate: true, strictBrackets: true, debug: true })
    } catch (cause) {
      throw refuse(cause)
    }
  }
}
