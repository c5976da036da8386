import { html } from '../html/markup.ts'
import { wordFor, type Told } from './letter.ts'

const frame = 'font: 15px/1.5 system-ui, sans-serif; color: #1f2328; max-width: 40em'
const bar = { firing: '#cf222e', reminder: '#cf222e', recovered: '#1a7f37', test: '#57606a' } as const

/** The same as the mail's text, as HTML that every reader of mail shows: styles stand in it, and nothing is loaded. */
export function htmlOf({ about, headline, rows, more, commands, foot }: Told): string {
  const body = html`<div style="${frame}">
    <p style="border-left: 4px solid ${bar[about]}; padding-left: 12px; font-weight: 600">
      ${wordFor(about)}: ${headline}
    </p>
    ${rows.map(
      ({ key, what, details, times }) =>
        html`<table role="presentation" style="border-collapse: collapse; margin: 0 0 1em">
          ${[['key', key], ['what', what], ...details.map((each) => ['', each]), ...times].map(
            ([name = '', value = '']) =>
              html`<tr>
                <td style="padding: 2px 16px 2px 0; color: #57606a; vertical-align: top">${name}</td>
                <td style="padding: 2px 0">${value}</td>
              </tr>`,
          )}
        </table>`,
    )}
    ${more > 0 && html`<p>and ${more} more; <code>pictify-keys alerts list</code> shows them</p>`}
    ${
      commands.length > 0 &&
      html`<p>What to do next:</p>
        ${commands.map(
          (each) =>
            html`<pre style="background: #f6f8fa; padding: 8px 12px; white-space: pre-wrap">${each}</pre>`,
        )}`
    }
    <p style="color: #57606a; font-size: 13px">${foot}</p>
  </div>`
  return `<!doctype html>\n<html lang="en"><body>${body.toString()}</body></html>\n`
}
