// Who used a key, from where and what for: its services, the same all along unless an oddity says otherwise.
import type { LoggedEvent } from './audit-log.ts'
import { chance, stream } from './chance.ts'
import type { KeyRecord } from './keys.ts'

interface Service {
  /** Its user agent, before an upgrade and after it. */
  userAgents: readonly [string, string]
  addresses: readonly string[]
}

/** Who used a key, and how often each: shares of one. */
interface Stretch {
  services: readonly { service: Service; share: number }[]
}

/** How a key is used. */
export interface Usual {
  all: Stretch
  /** For the last two days. */
  recent: Stretch
  endpoints: readonly (readonly [share: number, method: string, endpoint: string])[]
  /** What a request that fails is answered. */
  failures: readonly number[]
  /** When its programs were upgraded, as a share of all requests. */
  upgradedAt: number
  seed: number
}

type Past = Pick<KeyRecord, 'type' | 'access' | 'oddity'>

const programs: readonly (readonly [string, string])[] = [
  ['pictify-node/1.4.2 (linux; node 20.11.1)', 'pictify-node/1.5.0 (linux; node 20.11.1)'],
  ['pictify-python/0.9.3', 'pictify-python/0.10.0'],
  ['axios/1.6.8', 'axios/1.7.2'],
  ['Go-http-client/2.0', 'Go-http-client/2.0'],
  ['okhttp/4.11.0', 'okhttp/4.12.0'],
  ['Java-http-client/17.0.9', 'Java-http-client/21.0.2'],
  ['GuzzleHttp/7.8', 'GuzzleHttp/7.9'],
  ['Faraday v2.9.0', 'Faraday v2.9.0'],
  ['python-httpx/0.26.0', 'python-httpx/0.27.0'],
  ['reqwest/0.11.27', 'reqwest/0.12.4'],
]
const script = 'python-requests/2.31.0'
/** Where clouds have their machines. */
const firstBytes = [3, 13, 18, 34, 35, 44, 52, 54]
const actions: Service = {
  userAgents: ['pictify-node/1.4.2 (GitHub Actions)', 'pictify-node/1.5.0 (GitHub Actions)'],
  addresses: ['20.55.14.31', '20.55.14.87'],
}
const testRunner: Service = {
  userAgents: ['pictify-node/1.4.2 jest/29.7.0', 'pictify-node/1.5.0 jest/29.7.0'],
  addresses: ['127.0.0.1'],
}
const shell: Service = { userAgents: ['curl/8.5.0', 'curl/8.5.0'], addresses: ['127.0.0.1', '::1'] }

export function usualOf({ type, access, oddity }: Past, keySeed: number): Usual {
  const seed = stream(keySeed, 20)
  const own = serviceOf(seed, 0)
  const usual: Stretch['services'] =
    oddity === 'shared'
      ? share([own, 0.6], [serviceOf(seed, 1), 0.4])
      : oddity === 'local'
        ? share([own, 0.88], [testRunner, 0.05], [shell, 0.03], [actions, 0.04])
        : type === 'test' && oddity === undefined && chance(seed, 1) < 0.4
          ? share([actions, 1])
          : share([own, 1])
  const recent: Stretch['services'] =
    oddity === 'new-network'
      ? share([own, 0.5], [{ ...own, addresses: ['103.97.126.14', '103.97.126.201'] }, 0.5])
      : oddity === 'new-program'
        ? share([own, 0.67], [{ ...own, userAgents: [script, script] }, 0.33])
        : usual
  return {
    all: { services: usual },
    recent: { services: recent },
    endpoints:
      type === 'test' && oddity !== undefined && oddity !== 'test-limit' ? fewRenders : endpointsOf(access),
    failures: oddity === 'test-limit' ? [429] : oddity === 'failing' ? [500, 500, 503] : [400, 400, 429, 500],
    upgradedAt: chance(seed, 2) < 0.5 ? 0.3 + chance(seed, 3) * 0.5 : 1,
    seed,
  }
}

const share = (...services: [Service, number][]) => services.map(([service, share]) => ({ service, share }))

/** The n-th service of a key: one program, on a few machines in one network or two. */
function serviceOf(seed: number, n: number): Service {
  const own = stream(seed, 40 + n)
  const pick = (at: number, below: number) => Math.floor(chance(own, at) * below)
  // two services of one key differ in both
  const next = <T>(from: readonly T[], at: number) =>
    from[(Math.floor(chance(seed, at) * from.length) + n) % from.length] as T
  const program = next(programs, 30)
  const first = next(firstBytes, 31)
  const network = (at: number) => `${first}.${64 + pick(at, 128)}.${pick(at + 1, 256)}`
  const networks = chance(own, 3) < 0.6 ? [network(10)] : [network(10), network(12)]
  const machines = 1 + pick(4, 3)
  const addresses = networks.flatMap((prefix, zone) =>
    Array.from({ length: machines }, (_, index) => `${prefix}.${4 + pick(20 + zone * 8 + index, 248)}`),
  )
  const block = (at: number) => pick(at, 65_536).toString(16)
  const six = `2600:1f18:${block(5)}:${block(6)}::`
  return {
    userAgents: program,
    addresses: chance(own, 7) < 0.15 ? [...addresses, `${six}a`, `${six}1f`] : addresses,
  }
}

/** Of a busy test key, which has a hundred renders a day. */
const fewRenders: Usual['endpoints'] = [
  [0.05, 'POST', '/image'],
  [0.95, 'GET', '/templates'],
]

function endpointsOf(access: KeyRecord['access']): Usual['endpoints'] {
  switch (access) {
    case 'full':
      return [
        [0.82, 'POST', '/image'],
        [0.18, 'GET', '/templates'],
      ]
    case 'read-only':
      return [[1, 'GET', '/templates']]
    case 'admin':
      return [
        [0.55, 'POST', '/image'],
        [0.25, 'GET', '/api-keys'],
        [0.2, 'GET', '/audit-logs'],
      ]
  }
}

/** The n-th of a key's `count` requests. */
export function eventOf(
  usual: Usual,
  { n, count, recent, failed }: { n: number; count: number; recent: boolean; failed: boolean },
): Omit<LoggedEvent, 'at' | 'keyId'> {
  const draw = (purpose: number) => chance(stream(usual.seed, purpose), n)
  const { services } = recent ? usual.recent : usual.all
  const { service } = chosen(services, ({ share }) => share, draw(60))
  const [, method, endpoint] = chosen(usual.endpoints, ([share]) => share, draw(61))
  const { addresses, userAgents } = service
  return {
    action: 'api.request',
    endpoint,
    method,
    status: failed ? (usual.failures[Math.floor(draw(62) * usual.failures.length)] as number) : 200,
    ip: addresses[Math.floor(draw(63) * addresses.length)] as string,
    userAgent: userAgents[n >= usual.upgradedAt * count ? 1 : 0],
  }
}

function chosen<T>(choices: readonly T[], shareOf: (choice: T) => number, draw: number): T {
  let left = draw
  for (const choice of choices) {
    left -= shareOf(choice)
    if (left < 0) return choice
  }
  return choices.at(-1) as T
}
