import { parse } from 'yaml'

/** The context that kubectl would use, of kubeconfigs that are read in this order: what an earlier one says stands. */
export function readContext(texts: readonly string[]): { name: string; namespace: string } | undefined {
  const configs = texts.map(read).filter((config) => config !== undefined)
  const name = configs
    .map((config) => config['current-context'])
    .find((current) => typeof current === 'string' && current)
  if (typeof name !== 'string') return undefined
  const contexts = configs.flatMap((config) =>
    Array.isArray(config['contexts']) ? (config['contexts'] as unknown[]) : [],
  )
  const own = contexts.find((each) => isRecord(each) && each['name'] === name)
  const context = isRecord(own) && isRecord(own['context']) ? own['context'] : undefined
  if (context === undefined) return undefined
  const namespace = context['namespace']
  return { name, namespace: typeof namespace === 'string' && namespace !== '' ? namespace : 'default' }
}

function read(text: string): Record<string, unknown> | undefined {
  try {
    const config: unknown = parse(text)
    return isRecord(config) ? config : undefined
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
