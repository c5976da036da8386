// Rules of this file:
// - what comes from outside stands in plain text alone, in which Slack reads no link, mention or format;
// - `&`, `<` and `>` are escaped there all the same, as Slack asks of every text; in rich text they stand for themselves;
// - no block is longer than Slack takes: one that is would make it refuse the message.
import { wordFor, type Told } from './letter.ts'

const longestHeader = 150
const longestText = 2_000
const mostRows = 10

interface PlainText {
  type: 'plain_text'
  text: string
  emoji: false
}

/** The body of an incoming webhook. */
export function slackOf({ about, headline, rows, more, commands, foot }: Told): object {
  const word = wordFor(about)
  const shown = rows.slice(0, mostRows)
  const left = more + rows.length - shown.length
  return {
    // for notifications, and where blocks are not shown
    text: cut(escaped(`${word}: ${headline}`), longestText),
    mrkdwn: false,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'header', text: plainText(`${word}: ${headline}`, longestHeader) },
      ...shown.map(({ key, what, details, times }) => ({
        type: 'section',
        fields: [
          plainText(`key\n${key}`),
          plainText(`what\n${[what, ...details].join('\n')}`),
          ...times.map(([name, value]) => plainText(`${name}\n${value}`)),
        ],
      })),
      ...(left > 0 ? [context(`and ${left} more; pictify-keys alerts list shows them`)] : []),
      ...(commands.length > 0 ? [preformatted(commands.join('\n'))] : []),
      context(foot),
    ],
  }
}

function plainText(text: string, longest = longestText): PlainText {
  return { type: 'plain_text', text: cut(escaped(text), longest), emoji: false }
}

function context(text: string): object {
  return { type: 'context', elements: [plainText(text)] }
}

function preformatted(text: string): object {
  const element = {
    type: 'rich_text_preformatted',
    elements: [{ type: 'text', text: cut(text, longestText) }],
  }
  return { type: 'rich_text', elements: [element] }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/** Never within an escape or a character of two units. */
function cut(text: string, longest: number): string {
  if (text.length <= longest) return text
  return `${text.slice(0, longest - 1).replace(/&[a-z]*$|[\ud800-\udbff]$/, '')}…`
}
