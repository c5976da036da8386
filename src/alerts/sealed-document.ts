import { createHash } from 'node:crypto'

/** What a file holds, or what is wrong with it. */
export type Unsealed<T> = { content: T } | { problem: 'torn' | 'edited' | 'foreign' | { version: number } }

/** One line of JSON that shows whether it is whole. `scope` is for people. */
export function sealed(version: number, scope: object, content: object): string {
  const text = JSON.stringify(content)
  return `{"version":${version},"checksum":"${checksum(text)}","scope":${JSON.stringify(scope)},"state":${text}}\n`
}

/** What `sealed` wrote in this version. */
export function unsealed<T>(text: string, version: number): Unsealed<T> {
  let document: { version?: unknown; checksum?: unknown; state?: T } | null
  try {
    document = JSON.parse(text) as typeof document
  } catch {
    return { problem: 'torn' }
  }
  if (typeof document !== 'object' || typeof document?.version !== 'number') return { problem: 'foreign' }
  if (document.version !== version) return { problem: { version: document.version } }
  const { state } = document
  const isWhole = state !== undefined && document.checksum === checksum(JSON.stringify(state))
  return isWhole ? { content: state } : { problem: 'edited' }
}

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
