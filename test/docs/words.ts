import type { Block } from './blocks.ts'

/** The command lines of the program in a block of any language: a script, a workflow, a manifest. */
export function programLines({ lines }: Pick<Block, 'lines'>): string[] {
  const whole = lines
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
  return whole.flatMap((line) => {
    const found = /(?:^\s*(?:(?:[$>-]|run:|\w+=\S*) +)*|[;&|(]\s*|["'`])pictify-keys ((?:-|[a-z]).*)$/.exec(
      line,
    )?.[1]
    // a comment or a sentence names the program as well; a command line begins with one of its words
    return found === undefined || /^\s*(?:#|\/\/)/.test(line) ? [] : [found]
  })
}

/** The words of a command line, up to a pipe or a redirection; what the shell would fill in stays as it is. */
export function wordsOf(line: string): string[] {
  const words: string[] = []
  for (const [token, double, single] of line.matchAll(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'|[|<>;&]|[^\s|<>;&"']+/g,
  )) {
    if (/^[|<>;&]$/.test(token) || token === '#') break
    words.push(double ?? single ?? token)
  }
  return words
}
