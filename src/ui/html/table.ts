import { html, type Markup, type Piece } from './markup.ts'

export interface HtmlColumn<T> {
  head: string
  value: (row: T) => Piece
  /** Figures stand at the right. */
  number?: boolean | undefined
  /** What the row is about: read out before each of its cells. */
  heads?: boolean | undefined
}

/** Rows in columns, under a caption that says what they are. One that is too wide for a screen is moved by itself. */
export function htmlTable<T>(
  caption: string,
  columns: readonly HtmlColumn<T>[],
  rows: readonly T[],
  look?: string,
): Markup {
  const cell = ({ value, number, heads }: HtmlColumn<T>, row: T) =>
    heads
      ? html`<th scope="row">${value(row)}</th>`
      : html`<td class="${number ? 'number' : ''}">${value(row)}</td>`
  return html`<div class="wide" role="region" aria-label="${caption}" tabindex="0">
    <table class="${look}">
      <caption>
        ${caption}
      </caption>
      <thead>
        <tr>
          ${columns.map(({ head, number }) => html`<th scope="col" class="${number ? 'number' : ''}">${head}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html` <tr>
              ${columns.map((column) => cell(column, row))}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}
