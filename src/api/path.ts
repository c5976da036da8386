import { KeysError } from '../errors.ts'

/**
 * Builds a path out of segments that are each encoded, so that no id can name another path. Throws
 * `api-key-not-found` for what no encoding makes a segment of its own: nothing, `.` and `..`.
 */
export function path(strings: TemplateStringsArray, ...segments: string[]): string {
  const encoded = segments.map((segment) => {
    if (segment === '' || segment === '.' || segment === '..') {
      throw new KeysError('api-key-not-found', `no key has the id "${segment}"`, {
        hint: 'pictify-keys list shows the ids',
      })
    }
    return encodeURIComponent(segment.replace(/\p{Cs}/gu, '\ufffd'))
  })
  return String.raw({ raw: strings }, ...encoded)
}

/** `?a=1&b=2` of what is defined; nothing when nothing is. */
export function query(parameters: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}
