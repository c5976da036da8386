import { text } from './folder.ts'

/** The first policy of docs/targets.md that is about this path and nothing else. */
export async function policyOf(path: string): Promise<string> {
  const document = await text('docs/targets.md')
  const blocks = [...document.matchAll(/```hcl\n(.*?)```/gs)].map(([, policy]) => policy ?? '')
  const found = blocks.find((policy) => policy.includes(`"${path}"`))
  if (found === undefined) throw new Error(`docs/targets.md has no policy for ${path}`)
  return found
}
