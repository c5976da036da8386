// Rules of this file:
// - what is to be copied (a command line, a URL, a secret) gets no newline within: where the terminal itself breaks it, it
//   is copied whole;
// - every command loads it, so it loads nothing: a width is estimated, and rather too small than too great, for a row of a
//   table that fits must not be broken.

/** Our own colours. */
const colours = /\u001b\[\d{1,2}m/g
/** What takes two places, without the emoji, and what takes none: marks, and what is joined to the sign before it. */
const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/gu
const none = /\u200d.|[\p{M}\p{Cf}]/gu
/** A line of a shell: below what it mends all of it; in a sentence to the end of that, or as far as its words are none of prose. */
const commandLine =
  /^ {4}→ .*|(?<=: )pictify-keys [^;]*|(?:\$ )?pictify-keys (?:profile )?[a-z]+(?: [A-Za-z]+(?= -|$))?(?: (?:--?[a-z][\w-]*(?:[= ](?:'[^']*'|"[^"]*"|[^\s;,]+))?|'[^']*'|"[^"]*"|<[^>]*>|[^\s;,]*[^A-Za-z\s;,][^\s;,]*))*/g
/** Stands for a blank that is none to break at. */
const glue = '\ue000'
/** Labels, and what stands before them: `  old key   `. */
const labels = /^ *(?:[^ ]+(?: [^ ]+){0,2} {2,})*/

/** A line for a terminal of so many columns, in rows of whole words; those below the first stand in, or below its text. */
export function inWholeWords(line: string, columns: number): string {
  if (placesOf(line) <= columns) return line
  const indent = ' '.repeat(indentOf(line, columns))
  const glued = line.replace(commandLine, (command) => command.replaceAll(' ', glue))
  const rows: string[] = []
  let row = ''
  for (const [spaced, word = ''] of glued.matchAll(/ *([^ ]+)/g)) {
    if (row === '' || placesOf(row + spaced) <= columns) row += spaced
    else {
      rows.push(row)
      row = indent + word
    }
  }
  return [...rows, row].join('\n').replaceAll(glue, ' ')
}

function placesOf(text: string): number {
  const shown = text.replace(colours, '').replace(none, '')
  return [...shown].length + (shown.match(wide)?.length ?? 0)
}

function indentOf(line: string, columns: number): number {
  const bare = line.replace(colours, '')
  const widest = Math.floor(columns / 2)
  const behindLabels = labels.exec(bare)?.[0].length ?? 0
  const least = Math.min(widest, Math.max(2, bare.search(/[^ ]/)))
  return behindLabels > least && behindLabels <= widest ? behindLabels : least
}
