import type { KeyType } from '../api/contract.ts'
import { Secret } from '../secret.ts'
import type { KeyRecord } from './keys.ts'
import { withOddities } from './oddities.ts'
import type { PlanLimits } from './plans.ts'
import type { Random } from './random.ts'

const environments = [
  'Production',
  'Production',
  'Staging',
  'Development',
  'CI',
  'Preview',
  'Production EU',
  'QA',
]
const services = [
  'API Server', 'OG Images', 'Newsletter Renderer', 'Image Worker', 'Checkout Receipts', 'Social Cards',
  'Storefront', 'Zapier', 'Certificate Service', 'Marketing Site', 'Invoice PDFs', 'Blog Covers', 'Thumbnailer',
  'Event Badges', 'Ad Banners', 'Nightly Reports', 'Mobile Backend', 'Docs Site', 'Webhook Relay', 'Render Queue',
] // prettier-ignore
const careless = ['Key 1', 'Test', 'New key', 'temp', 'asdf', 'Key 2']
const hour = 3_600_000
const day = 24 * hour

/** How many active keys of a type an account begins with: half of what the plan allows, so that there is room to work. */
const roomFor = (type: KeyType, limits: PlanLimits): number =>
  Math.max(0, Math.floor(limits.keys[type] / 2) - (type === 'live' ? 1 : 0))

/** An account with a past of three years: `count` keys, oldest first. What the plan has no room for is revoked. */
export function seedKeys(
  count: number,
  { limits, now, random }: { limits: PlanLimits; now: number; random: Random },
): KeyRecord[] {
  const ages = Array.from({ length: count }, () => hour + random.fraction() ** 2 * 3 * 365 * day)
  ages.sort((a, b) => b - a)
  const types = ages.map((): KeyType => (random.fraction() < 0.7 ? 'live' : 'test'))
  const left = {
    live: types.filter((type) => type === 'live').length,
    test: types.filter((type) => type === 'test').length,
  }
  const room = { live: roomFor('live', limits), test: roomFor('test', limits) }

  const keys = ages.map((age, index): KeyRecord => {
    const type = types[index] as KeyType
    // as likely as it must be for the room to be used up exactly, whatever the ages
    const active = random.fraction() < Math.min(room[type] / left[type], room[type] === Infinity ? 0.85 : 1)
    left[type]--
    if (active) room[type]--
    const createdAt = Math.floor(now - age)
    const revokedAt = active
      ? null
      : Math.floor(createdAt + (now - createdAt) * (0.1 + random.fraction() * 0.85))
    const lastUsedAt = lastUse(createdAt, revokedAt ?? now, active, random)
    return {
      id: `key_${random.text(12, 'lower')}`,
      name: nameOf(createdAt, active, random),
      type,
      access: random.fraction() < 0.2 ? 'read-only' : 'full',
      secret: new Secret(`pk_${type}_${random.text(32)}`),
      createdAt,
      revokedAt,
      lastUsedAt,
      ...(lastUsedAt !== null && { pastUntil: lastUsedAt }),
    }
  })
  return withOddities(keys, now)
}

function nameOf(createdAt: number, active: boolean, random: Random): string {
  if (random.fraction() < 0.06) return random.pick(careless)
  const name = `${random.pick(environments)} ${random.pick(services)}`
  return active ? name : `${name} (${new Date(createdAt).getUTCFullYear()})`
}

/** Most active keys are in use, some have been left behind, some were never used at all. */
function lastUse(createdAt: number, end: number, active: boolean, random: Random): number | null {
  const fate = random.fraction()
  if (fate < 0.1) return null
  const idleMs = fate < 0.65 ? hour / 3 : fate < 0.85 ? 20 * day : 300 * day
  const at = end - random.fraction() * idleMs - (active ? 60_000 : 0)
  return Math.floor(Math.max(at, createdAt + (end - createdAt) / 2))
}
