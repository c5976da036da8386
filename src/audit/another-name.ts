const longest = 100

/** A name for a key beside another one: `Production Server (curl)`. Names hold 100 characters. */
export function nameOfAnother(name: string, purpose: string): string {
  const [what] = /^[\w. -]*/.exec(purpose.trim()) ?? ['']
  const end = ` (${what.trim().slice(0, 40).trim() || 'another service'})`
  return `${[...name]
    .slice(0, longest - end.length)
    .join('')
    .trim()}${end}`
}
