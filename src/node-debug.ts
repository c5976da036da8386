/** Those of the sections that `NODE_DEBUG` asks Node to print, as Node itself reads it: `http,child*` in any case. */
export function printedByNode(
  { NODE_DEBUG = '' }: Readonly<Record<string, string | undefined>>,
  sections: readonly string[],
): string[] {
  const patterns = NODE_DEBUG.split(',').map((each) => {
    const escaped = each.trim().replace(/[|\\{}()[\]^$+?.]/g, String.raw`\$&`)
    return new RegExp(`^${escaped.replaceAll('*', '.*')}$`, 'i')
  })
  return sections.filter((section) => patterns.some((pattern) => pattern.test(section)))
}
