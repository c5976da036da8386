import { debuglog } from 'node:util'

/**
 * Those of the sections that Node prints, by its own word: it read its environment when it began, which a caller of the
 * library may not have handed on. And those that `NODE_DEBUG` of the one that was asks for, read alike: `http,child*`.
 */
export function printedByNode(
  { NODE_DEBUG = '' }: Readonly<Record<string, string | undefined>>,
  sections: readonly string[],
): string[] {
  const patterns = NODE_DEBUG.split(',').map((each) => {
    const escaped = each.trim().replace(/[|\\{}()[\]^$+?.]/g, String.raw`\$&`)
    return new RegExp(`^${escaped.replaceAll('*', '.*')}$`, 'i')
  })
  return sections.filter(
    (section) => debuglog(section).enabled || patterns.some((pattern) => pattern.test(section)),
  )
}
