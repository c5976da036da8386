// An audit log says the same thing in ever new words: versions, ids, queries. These are the words without what changes.

const uuid = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi
/** `/1.4.2`, `/v20`, `/9f3c2ab` (a commit). */
const versionOfProduct = /\/(?:v?\d[\w.+-]*|[0-9a-f]{7,40}\b)/gi
/** `10.0` and `5.15.0-91-generic`, within a comment. */
const versionAlone = /(?<![\w.])v?\d+(?:\.\d+)+[\w.+-]*/g

/** Who called, whatever its version: `pictify-node/1.4.2 (linux)` is `pictify-node (linux)`. */
export function programOf(userAgent: string): string {
  // a probe of ours that is to be found again in the log has a mark
  if (/^pictify-keys\/\S+(?: \([\w-]+\))?$/.test(userAgent)) return 'pictify-keys'
  const plain = userAgent
    .replaceAll(uuid, '')
    .replaceAll(versionOfProduct, '')
    .replaceAll(versionAlone, '')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ ?\( ?\)/g, '')
    .replaceAll(/ (?=[;,)])/g, '')
    .trim()
  return plain === '' ? userAgent : plain
}

/** What was called: `GET /templates/{id}`, without the query and the ids, which differ from call to call. */
export function endpointOf(method: string, endpoint: string): string {
  const end = endpoint.search(/[?#]/)
  const path = end === -1 ? endpoint : endpoint.slice(0, end)
  const segments = path.split('/').map((segment) => (isId(segment) ? '{id}' : segment))
  return `${method} ${segments.join('/')}`.trim()
}

/** `key_abcdefgh`, a UUID, a number, and what else has digits about as nobody would name a part of a path. */
function isId(segment: string): boolean {
  return (
    /^\d+$/.test(segment) ||
    /^[a-z]{2,12}_[A-Za-z0-9]{6,}$/.test(segment) ||
    (segment.length >= 6 && /^[\w~.-]+$/.test(segment) && /\d.*\d/.test(segment))
  )
}
