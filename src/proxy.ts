const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/**
 * The proxy that the environment names for an address, without its password; undefined where it is reached directly. By the
 * rules that the connections of `http.ts` go by.
 */
export function proxyFor(url: URL, env: Readonly<Record<string, string | undefined>>): string | undefined {
  const http = env['http_proxy'] || env['HTTP_PROXY'] || ''
  const https = env['https_proxy'] || env['HTTPS_PROXY'] || ''
  const proxy = url.protocol === 'https:' ? https || http : http
  if (proxy === '' || isExempt(url, env['no_proxy'] ?? env['NO_PROXY'] ?? '')) return undefined
  if (!/^(?:https?|socks5?):/i.test(proxy) || !URL.canParse(proxy)) return 'that is no address'
  const { protocol, host } = new URL(proxy)
  return `${protocol}//${host}`
}

function isExempt(url: URL, exempt: string): boolean {
  if (exempt === '*') return true
  const port = Number(url.port) || defaultPorts[url.protocol]
  return exempt.split(/[,\s]+/).some((entry) => {
    const [, host = entry, only] = /^(.+):(\d+)$/.exec(entry) ?? []
    const name = host.replace(/^\*?\./, '').toLowerCase()
    if (name === '' || (only !== undefined && Number(only) !== port)) return false
    return url.hostname === name || url.hostname.endsWith(`.${name}`)
  })
}
