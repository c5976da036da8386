// Rules of this file:
// - what YAML can do and this file has no use for is refused, not ignored: several documents, tags of others, merge keys;
// - aliases that stand for more and more aliases end before they fill our memory;
// - every problem is told with its line and column, and none of them shows a secret.
import {
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  visit,
  type Node,
  type Pair,
} from 'yaml'
import { redact } from '../secret.ts'

/** What is wrong, and where, counted from 1. */
export interface Problem {
  line: number
  column: number
  /** Lower case, no full stop, never a secret. */
  message: string
}

export type Path = readonly (string | number)[]

/** A YAML file as plain data that knows where it stood. */
export interface KeysDocument {
  value: unknown
  /** What is wrong with it as YAML; `value` is undefined where that leaves nothing to read. */
  problems: Problem[]
  /** Where a value stands, or the name of its field; where it is missing, what it is missing from. */
  placeOf(path: Path, of: 'name' | 'value'): { line: number; column: number }
}

/** Of a list of aliases that each stand for a list of aliases, these are many. */
const mostAliases = 1_000
/** Shorter than any real key's: a key may be named `pk_live_old`. */
const secretForm = /pk_(?:live|test)_[A-Za-z0-9]{12,}/g

/** Of a name that is twice in a mapping one counts, `of` says which. */
export function readDocument(text: string, of: 'first' | 'last' = 'last'): KeysDocument {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, logLevel: 'error' })
  const at = (offset: number) => {
    const { line, col } = lineCounter.linePos(offset)
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const problems: Problem[] = []
  const note = (offset: number, message: string) => problems.push({ ...at(offset), message: redact(message) })

  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    note(pos[0], words[code] ?? lowerCase(message))
  }
  for (const { index } of text.matchAll(secretForm)) {
    note(
      index,
      'a secret is written in the file: take it out, and rotate its key, which whoever has the file can use',
    )
  }
  // a name that is there twice keeps nothing else from being looked at
  let isWhole = document.errors.every(({ code }) => code === 'DUPLICATE_KEY')
  let firstAlias: number | undefined
  visit(document, {
    Pair(_, { key }, path) {
      if (!isScalar(key)) return
      const offset = key.range?.[0] ?? 0
      if (typeof key.value !== 'string')
        note(offset, `a name is a text: put it in quotes, "${key.source ?? ''}"`)
      // the schemas pass over them
      else if (overlooked.includes(key.value) && !isOfKeys(path))
        note(offset, `there is no field ${key.value}`)
    },
    Alias(_, alias) {
      firstAlias ??= alias.range?.[0]
      if (alias.resolve(document) !== undefined) return
      note(alias.range?.[0] ?? 0, `there is no anchor &${alias.source} before it`)
      isWhole = false
    },
    Map(_, map) {
      if (of === 'first') map.items = firstOfEach(map.items)
      for (const { key } of map.items) {
        if (isMap(key) || isSeq(key)) note(key.range?.[0] ?? 0, 'a name is a text, not a list or a mapping')
      }
    },
  })
  const root = document.contents

  return {
    value: isWhole ? plainData() : undefined,
    problems,
    placeOf(path, of) {
      let node: unknown = root
      let offset = offsetOf(root) ?? 0
      for (const [depth, step] of path.entries()) {
        const isLast = depth === path.length - 1
        if (isMap(node)) {
          const pair = node.items.findLast(({ key }) => isScalar(key) && key.value === step)
          if (pair === undefined) break
          const nameAt = offsetOf(pair.key)
          node = pair.value
          offset = (isLast && of === 'name' ? undefined : offsetOf(node)) ?? nameAt ?? offset
        } else if (isSeq(node)) {
          node = node.items[Number(step)]
          offset = offsetOf(node) ?? offset
        } else break
        if (isAlias(node)) break
      }
      return at(offset)
    },
  }

  function plainData(): unknown {
    try {
      return document.toJS({ maxAliasCount: mostAliases })
    } catch (error) {
      if (!(error instanceof ReferenceError)) throw error
      note(firstAlias ?? 0, 'aliases stand for aliases, and those for more: write out what they stand for')
      return undefined
    }
  }
}

const overlooked = ['__proto__', 'constructor', 'prototype']

/** Of the mapping whose names people chose: `keys`. */
function isOfKeys(path: readonly unknown[]): boolean {
  const above = path[2]
  return path.length === 4 && isPair(above) && isScalar(above.key) && above.key.value === 'keys'
}

function firstOfEach(pairs: readonly Pair[]): Pair[] {
  const seen = new Set<unknown>()
  return pairs.filter(({ key }) => {
    const name = isScalar(key) ? key.value : key
    return !seen.has(name) && seen.add(name)
  })
}

function offsetOf(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0]
}

const words: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name is in the same mapping twice',
  MULTIPLE_DOCS: 'a second document begins: the file is one',
  TAG_RESOLVE_FAILED: 'tags are not read',
  TAB_AS_INDENT: 'lines are indented by spaces, never by tabs',
}

/** The parser's own words in our form. */
function lowerCase(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1).replace(/\.$/, '')
}
