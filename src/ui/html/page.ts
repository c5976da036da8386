// Rules of this file:
// - a page is one file: it asks for nothing, runs nothing, and is let do neither by its own policy;
// - it is read on a screen, on paper and aloud: one h1, sections with an h2, no picture without words.
import { createHash } from 'node:crypto'
import { html, type Markup, type Piece } from './markup.ts'
import { style } from './style.ts'

export interface Page {
  /** The heading, and the name of the window. */
  title: string
  /** What came of it, in a sentence or two. */
  lead: Piece
  /** Of what, when and by what it was made. */
  facts: readonly (readonly [name: string, value: Piece])[]
  sections: readonly Section[]
  /** The last words: what is not in here, and where it is. */
  foot: Piece
}

export interface Section {
  /** Of the page alone: the word after `#`. */
  id: string
  title: string
  body: Piece
  /** Begins a sheet of its own on paper. */
  sheet?: boolean | undefined
}

/** A whole page as the text of a file. */
export function renderPage({ title, lead, facts, sections, foot }: Page): string {
  const hash = createHash('sha256').update(style).digest('base64')
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`
  const top = html`<meta charset="utf-8" />
    <meta http-equiv="Content-Security-Policy" content="${policy}" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="referrer" content="no-referrer" />
    <title>${title}</title>`
  const body = html`<header>
      <h1>${title}</h1>
      <p class="lead">${lead}</p>
      ${factList(facts)}
      <nav aria-label="Contents">
        <ul>
          ${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}
        </ul>
      </nav>
    </header>
    <main>${sections.map(sectionOf)}</main>
    <footer>${foot}</footer>`
  // the style is put in as it is: what its hash was made of
  return `<!doctype html>
<html lang="en">
<head>
${top.toString()}
<style>${style}</style>
</head>
<body>
${body.toString()}
</body>
</html>
`
}

function sectionOf({ id, title, body, sheet }: Section): Markup {
  return html` <section id="${id}" class="${sheet ? 'sheet' : ''}" aria-labelledby="${id}-title">
    <h2 id="${id}-title">${title}</h2>
    ${body}
  </section>`
}

/** Names and their values side by side. */
export function factList(facts: Page['facts']): Markup {
  return html`<dl class="facts">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`
}
