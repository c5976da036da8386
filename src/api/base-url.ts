import { KeysError } from '../errors.ts'
import { isLoopback } from '../http.ts'

export const defaultBaseUrl = 'https://api.pictify.io'

/**
 * The base URL as it is used, with no slash at its end; a path prefix such as `/v1` is kept. Throws `invalid-url`, or
 * `insecure-url` for http to another machine unless `insecureHttp` says that it is meant.
 */
export function parseBaseUrl(
  text: string,
  { insecureHttp = false }: { insecureHttp?: boolean } = {},
): string {
  const trimmed = text.trim()
  const wrong = (message: string, hint = `write it in full, for example ${defaultBaseUrl}`) =>
    new KeysError('invalid-url', `the base URL ${message}`, { hint })
  if (trimmed === '') throw wrong('is empty')
  if (/^["'`]|["'`]$/.test(trimmed)) throw wrong('has quotes around it', 'give it without the quotes')
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed)) {
    const guess = withScheme(trimmed)
    throw wrong('does not start with https://', guess === undefined ? undefined : `did you mean ${guess}?`)
  }
  if (/\s/.test(trimmed) || !URL.canParse(trimmed)) throw wrong('is not a URL')
  const url = new URL(trimmed)
  if (url.username !== '' || url.password !== '') {
    throw wrong(
      'has a user or a password in it',
      'leave out what is before the @; sign in with pictify-keys login',
    )
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw wrong(`has the scheme ${url.protocol.slice(0, -1)}, which is not https`)
  }
  if (url.search !== '' || url.hash !== '') {
    throw wrong('has a query or a fragment', 'leave out everything from the ? or # on')
  }
  if (url.protocol === 'http:' && !insecureHttp && !isLoopback(url.hostname)) {
    throw new KeysError(
      'insecure-url',
      `the base URL is plain http to ${url.host}, which would send the key in clear`,
      {
        hint: 'use https, or --insecure-http if it is meant; http to this machine itself is always allowed',
      },
    )
  }
  return url.origin + url.pathname.replace(/\/+$/, '')
}

/** What a host without a scheme was probably meant to be; nothing where it might hold a password. */
function withScheme(text: string): string | undefined {
  if (text.includes('@') || !/^[\w.[\]-]+(:\d+)?(\/\S*)?$/.test(text)) return undefined
  const https = `https://${text}`
  if (!URL.canParse(https)) return undefined
  return isLoopback(new URL(https).hostname) ? `http://${text}` : https
}
