// Rules of this file:
// - what a template takes in is text: it is cleaned and escaped, whoever made it; only what `html` made is markup;
// - attributes are quoted, and none that takes a URL, a style or a script takes a value from outside.
import { html as escaped } from 'hono/html'
import { oneLine } from '../text.ts'

/** HTML or SVG that `html` made. */
export interface Markup {
  readonly isEscaped: true
  toString(): string
}

/** What stands in a template; lists are put together, `undefined` and `false` are nothing. */
export type Piece = string | number | Markup | undefined | false | readonly Piece[]

/** Markup in which every text is shown as text. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  // of a promise alone would it make a promise, and none can be a piece
  return escaped(strings, ...pieces.map(cleaned)) as unknown as Markup
}

function cleaned(piece: Piece): Piece {
  if (typeof piece === 'string') return oneLine(piece)
  return isList(piece) ? piece.map(cleaned) : piece
}

function isList(piece: Piece): piece is readonly Piece[] {
  return Array.isArray(piece)
}
