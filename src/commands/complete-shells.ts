// Rules of this file:
// - a line that is being typed is read, never run: nothing in it is expanded;
// - what a shell is to insert as it is, is quoted here for the place where the cursor stands; shells that quote by
//   themselves get the value.

/** A word of a command line for bash. */
export interface Word {
  /** Without its quotes. */
  text: string
  /** As it was typed. */
  raw: string
  /** The quote that is open at its end. */
  quote: '' | '"' | "'"
}

const ends = new Set([' ', '\t', '\n'])
const commandEnds = new Set([';', '|', '&', '(', ')', '<', '>'])

/** The words of the last command in a line, the last of them the one the cursor is in, be it empty. */
export function bashWords(line: string): Word[] {
  let words: Word[] = []
  let word: Word | undefined
  let quote: Word['quote'] = ''
  for (let at = 0; at < line.length; at += 1) {
    const character = line.charAt(at)
    if (quote === '' && ends.has(character)) {
      if (word) words.push(word)
      word = undefined
      continue
    }
    if (quote === '' && commandEnds.has(character)) {
      words = []
      word = undefined
      continue
    }
    word ??= { text: '', raw: '', quote: '' }
    word.raw += character
    if (quote === '' && (character === '"' || character === "'")) quote = character
    else if (character === quote) quote = ''
    else if (character === '\\' && quote !== "'") {
      const next = line.charAt(at + 1)
      if (quote === '"' && !'"$`\\\n'.includes(next)) word.text += '\\'
      else {
        word.raw += next
        word.text += next
        at += 1
      }
    } else word.text += character
  }
  return [...words, { ...(word ?? { text: '', raw: '' }), quote }]
}

/** `value` as it has to stand in the line, given what of it was typed. Undefined where it does not begin like that. */
export function bashInsertion(value: string, typed: Word): string | undefined {
  if (!value.startsWith(typed.text)) return undefined
  const rest = value.slice(typed.text.length)
  return typed.raw + bashQuoted(rest, typed.quote, typed.raw === '')
}

function bashQuoted(text: string, quote: Word['quote'], isStart: boolean): string {
  if (quote === "'") return text.replaceAll("'", `'\\''`)
  // an exclamation mark is history even in double quotes, but not in single ones
  if (quote === '"') return text.replace(/["$`\\]/g, '\\$&').replaceAll('!', `"'!'"`)
  const quoted = text.replace(/[^\p{L}\p{N}_./:=@%+,#~-]/gu, '\\$&')
  return isStart ? quoted.replace(/^[#~]/, '\\$&') : quoted
}

/** A word that fish hands over as it was typed, without its quotes. */
export function fishText(raw: string): string {
  return raw.replace(/^["']/, '').replace(/\\(.)/g, '$1')
}
