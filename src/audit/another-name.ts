const longest = 100

/** A name for a key beside another one: `Production Server (curl)`. Names hold 100 characters. */
export function nameOfAnother(name: string, purpose: string): string {
  const [what] = /^[\w. -]*/.exec(purpose.trim()) ?? ['']
  const end = ` (${what.trim().slice(0, 40).trim() || 'another service'})`
  // what begins like a flag is none, but would be read as one
  return `${[...name.replace(/^-+/, '')]
    .slice(0, longest - end.length)
    .join('')
    .trim()}${end}`
}
