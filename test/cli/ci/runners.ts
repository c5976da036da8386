// What each CI's runner makes of a log, by the grammar that it documents and that its own code shows.

export interface Read {
  commands: { name: string; properties: Record<string, string>; data: string }[]
  /** What is left for the log, masked. */
  log: string[]
}

export type Runner = (text: string) => Read

/** A registered command of GitHub's runner: others are text. */
const registered = new Set(
  'add-mask add-matcher add-path debug echo endgroup error group internal-set-repo-path notice remove-matcher save-state set-env set-output stop-commands warning'.split(
    ' ',
  ),
)

/** `::name properties::data` at the beginning of a line, or `##[name properties]data` anywhere in one. */
export const github: Runner = (text) =>
  read(text, (line) => {
    const [, words = '', data = ''] = /^::(.*?)::(.*)$/s.exec(line.trimStart()) ?? []
    const [, olderWords = '', olderData = ''] = /##\[(.*?)\](.*)$/s.exec(line) ?? []
    for (const [given, value, separator] of [
      [words, data, ','],
      [olderWords, olderData, ';'],
    ] as const) {
      const [name = '', ...rest] = given.split(' ')
      if (!registered.has(name)) continue
      const unescape = (escaped: string) =>
        escaped
          .replaceAll('%0D', '\r')
          .replaceAll('%0A', '\n')
          .replaceAll('%3A', ':')
          .replaceAll('%2C', ',')
          .replaceAll('%25', '%')
      return {
        name,
        properties: properties(rest.join(' '), separator, unescape),
        data: unescape(value),
        masks: name === 'add-mask',
      }
    }
    return undefined
  })

/** `##vso[area.event properties]data` anywhere in a line, in any case, and the formats `##[group]`, `##[error]` … */
export const azure: Runner = (text) =>
  read(text, (line) => {
    const unescape = (escaped: string) =>
      escaped
        .replaceAll('%3B', ';')
        .replaceAll('%0D', '\r')
        .replaceAll('%0A', '\n')
        .replaceAll('%5D', ']')
        .replaceAll('%AZP25', '%')
    const [, name = '', rest = '', data = ''] = /##vso\[([\w.]+)\s*([^\]]*)\](.*)$/is.exec(line) ?? []
    if (name !== '') {
      const masks = name === 'task.setsecret'
      return { name, properties: properties(rest, ';', unescape), data: unescape(data), masks }
    }
    const [, format = '', title = ''] = /##\[(\w+)\](.*)$/s.exec(line) ?? []
    return format === '' ? undefined : { name: format, properties: {}, data: title, masks: false }
  })

/** `section_start:<seconds>:<name>`, a carriage return and `ESC [ 0 K`, anywhere. */
export const gitlab: Runner = (text) =>
  read(text, (line) => {
    const [, what = '', seconds = '', name = '', title = ''] =
      /section_(start|end):(\d+):([\w.-]+)(?:\[[^\]]*\])?\r\u001b\[0K(.*)$/s.exec(line) ?? []
    if (what === '') return undefined
    return { name: `section_${what}`, properties: { seconds, name }, data: title, masks: false }
  })

/** A log is all there is. */
export const plainLog: Runner = (text) => read(text, () => undefined)

type Found = Read['commands'][number] & { masks: boolean }

function read(text: string, find: (line: string) => Found | undefined): Read {
  const masked: string[] = []
  const commands: Read['commands'] = []
  const log: string[] = []
  for (const line of text.split(/\n/)) {
    const found = find(line)
    if (found === undefined) log.push(masked.reduce((rest, value) => rest.replaceAll(value, '***'), line))
    else {
      if (found.masks) masked.push(found.data)
      const { name, properties, data } = found
      commands.push({ name, properties, data })
    }
  }
  return { commands, log: log.filter((line) => line !== '') }
}

function properties(text: string, separator: string, unescape: (text: string) => string) {
  const pairs = text
    .split(separator)
    .map((pair) => pair.trim())
    .filter((pair) => pair.includes('='))
    .map((pair) => [pair.slice(0, pair.indexOf('=')), unescape(pair.slice(pair.indexOf('=') + 1))])
  return Object.fromEntries(pairs) as Record<string, string>
}

/** `$GITHUB_OUTPUT`: `name=value`, or `name<<end`, lines, and the end. */
export function outputsOf(text: string): Record<string, string> {
  const found: Record<string, string> = {}
  const lines = text.split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const [, name, end] = /^([^=]+?)<<(.+)$/.exec(line) ?? []
    if (name !== undefined && end !== undefined) {
      const last = lines.indexOf(end, at + 1)
      found[name] = lines.slice(at + 1, last).join('\n')
      at = last
    } else if (line.includes('=')) found[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1)
    else if (line !== '') throw new Error(`the runner refuses the line ${line}`)
  }
  return found
}
