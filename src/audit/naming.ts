/** Fits any key, so that it tells none. */
const ofAnyKey = new Set(
  [
    'key keys apikey apikeys api pk secret secrets token tokens credential credentials pictify',
    'live test tests testing tester tst',
    'new newer newest old older current another other next last first second',
    'my mine our own me the a an of for to this that it',
    'temp tmp temporary throwaway delete deleteme todo tbd wip',
    'foo bar baz qux foobar blah bla stuff thing things something anything whatever misc',
    'untitled unnamed noname name default none null undefined unknown placeholder',
    'example sample demo dummy fake copy final hello world',
  ].flatMap((line) => line.split(' ')),
)
const keyboards = ['qwertyuiop', 'qwertz', 'azerty', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm', '1234567890']

const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi

/** The words of a name, lower case: `prodServer-2` has prod, server and 2. */
export function wordsOf(name: string): string[] {
  return name
    .normalize('NFKC')
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter((word) => word !== '')
}

/** Those of them that tell a key from others. */
export function wordsThatSay(name: string): string[] {
  return wordsOf(name.replace(uuid, ' ')).filter((word) => !saysNothing(word))
}

/** What names that are easily taken for each other have in common. */
export function folded(name: string): string {
  return wordsOf(name).join(' ')
}

function saysNothing(word: string): boolean {
  const bare = word.replace(/\p{N}+$/u, '')
  return (
    /^(?:[a-z]|\p{N}+|v\p{N}+)$/u.test(word) ||
    ofAnyKey.has(word) ||
    ofAnyKey.has(bare) ||
    isHex(word) ||
    isMash(bare === '' ? word : bare)
  )
}

/** A hash or an id. */
function isHex(word: string): boolean {
  return /^[0-9a-f]{6,}$/.test(word) && /\d/.test(word) && /[a-f]/.test(word)
}

/** One character over and over, the alphabet's beginning, or keys side by side: `xxx`, `abc`, `asdf`, `asdfasdf`. */
function isMash(word: string): boolean {
  if (word.length < 3) return false
  if (/^(.)\1+$/.test(word) || /^abc(?:d(?:e(?:f)?)?)?$/.test(word) || word === 'xyz') return true
  const once = /^(.{3,}?)\1*$/.exec(word)?.[1] ?? word
  return keyboards.some((row) => row.includes(once) || row.includes([...once].reverse().join('')))
}
