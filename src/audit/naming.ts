/** What every key is. */
const ofEveryKey = new Set(
  [
    'key keys apikey apikeys secret secrets token tokens credential credentials test tests testing',
    // in the languages that most dashboards are used in
    'clave llave prueba pruebas chave teste clé cle essai schlüssel schluessel chiave prova sleutel ключ тест',
    'キー 鍵 テスト 密钥 金鑰 密鑰 测试 測試 키 테스트',
  ].flatMap((line) => line.split(' ')),
)
/** Fits any key, so that it tells none. */
const ofAnyKey = new Set([
  ...ofEveryKey,
  ...[
    'api pk pictify live tester tst',
    'one two three four five six seven eight nine ten zero',
    'do not dont use used keep important please',
    'nueva nuevo nova novo nouvelle nouveau neu neue neuer nuova nuovo mein meine новый мой 新しい',
    'new newer newest old older current another other next last first second',
    'my mine our own me the a an of for to this that it',
    'temp tmp temporary throwaway delete deleteme todo tbd wip',
    'foo bar baz qux foobar blah bla stuff thing things something anything whatever misc',
    'untitled unnamed noname name default none null undefined unknown placeholder',
    'example sample demo dummy fake copy final hello world',
  ].flatMap((line) => line.split(' ')),
])
const keyboards = ['qwertyuiop', 'qwertz', 'azerty', 'asdfghjkl', 'zxcvbnm', 'yxcvbnm', '1234567890']

/** Of words that are written as one. */
const longestRun = 32
/** Ends of many another word: Keyan. */
const tooShort = new Set(['a', 'an', 'of', 'to', 'it', 'me'])

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
    isRunTogether(bare) ||
    isHex(word) ||
    isMash(bare === '' ? word : bare)
  )
}

/** `mykey`, `newtesttoken`: such words and no other, written as one. */
function isRunTogether(word: string): boolean {
  if (word.length > longestRun) return false
  const ends = Array.from({ length: word.length - 1 }, (_, index) => index + 2)
  return ends.some((end) => {
    const [first, rest] = [word.slice(0, end), word.slice(end)]
    if (!isPart(first)) return false
    return ofEveryKey.has(first) ? isMadeOfSuch(rest) : isRunTogether(rest)
  })
}

function isMadeOfSuch(word: string): boolean {
  if (word === '' || isPart(word)) return true
  return Array.from(word, (_, index) => index + 1).some(
    (end) => isPart(word.slice(0, end)) && isMadeOfSuch(word.slice(end)),
  )
}

function isPart(word: string): boolean {
  return ofAnyKey.has(word) && !tooShort.has(word)
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
