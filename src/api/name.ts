import { KeysError } from '../errors.ts'

const longest = 100

/** Throws `invalid-name` for a name the API would refuse: 1 to 100 characters, no control characters. */
export function checkName(name: string): void {
  const wrong = (message: string, hint: string) =>
    new KeysError('invalid-name', `the name ${message}`, { hint })
  if (name.trim() === '') {
    throw wrong('is empty', 'name what uses the key, for example "Production API Server"')
  }
  const { length } = [...name]
  if (length > longest) throw wrong(`has ${length} characters`, `a name has at most ${longest}`)
  if (/\p{Cc}/u.test(name)) {
    throw wrong('has control characters in it', 'leave out newlines, tabs and escapes')
  }
  if (/\p{Cs}/u.test(name)) throw wrong('is not valid Unicode', 'type it again')
}
