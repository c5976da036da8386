import type { Severity } from '../../fleet/fleet.ts'
import { html, type Markup } from '../html/markup.ts'

/** A name as it is, whichever way it is written, without turning the text around it. */
export function keyName({ name }: { name: string }): Markup {
  return html`<bdi>${name}</bdi>`
}

/** The severity as a word with a colour. */
export function badge(severity: Severity): Markup {
  return html`<span class="badge ${severity}">${severity}</span>`
}
