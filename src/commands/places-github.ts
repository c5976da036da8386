import path from 'node:path'
import { KeysError } from '../errors.ts'
import { gitHubAccount } from '../targets/github-account.ts'
import { namesIn, outwards, readTextIfThere, sectionsOf } from './looking.ts'
import type { FoundPlace, Surroundings } from './places.ts'

/** The GitHub repositories that this one is pushed to, with the secrets that its workflows name for Pictify. */
export async function gitHub(
  { cwd, env, debug }: Surroundings,
  variables: readonly string[],
): Promise<FoundPlace[]> {
  const found = await findConfig(cwd)
  if (found === undefined) return []
  const host = hostOf(env, debug)
  const repositories = new Map<string, string>()
  for (const [section, values] of sectionsOf(found.config)) {
    const remote = /^remote "(.*)"$/.exec(section)?.[1]
    const repository = remote === undefined ? undefined : repositoryOf(values.get('url') ?? '', host)
    if (remote !== undefined && repository !== undefined && !repositories.has(repository)) {
      repositories.set(repository, remote)
    }
  }
  const secrets = await secretsOf(found.root)
  return [...repositories].flatMap(([repository, remote]) => placesOf(repository, remote, secrets, variables))
}

function placesOf(
  repository: string,
  remote: string,
  secrets: readonly string[],
  variables: readonly string[],
): FoundPlace[] {
  if (secrets.length > 0) {
    return secrets.map((secret) => {
      const spec = `github:${repository}#${secret}`
      return { label: spec, reason: 'named in its workflows', spec: () => spec }
    })
  }
  return [
    {
      label: `github:${repository}#…`,
      reason: `the remote ${remote}`,
      spec: (secret) => `github:${repository}#${secret}`,
      missing: { question: `Which Actions secret of ${repository}?`, suggestion: variables[0] },
    },
  ]
}

/** The config of the repository that the folder is in, its worktrees' too; and the folder it is checked out in. */
async function findConfig(cwd: string): Promise<{ root: string; config: string } | undefined> {
  for (const root of outwards(cwd)) {
    const git = path.join(root, '.git')
    const own = await readTextIfThere(path.join(git, 'config'))
    if (own !== undefined) return { root, config: own }
    // of a worktree or a submodule it is a file that says where
    const elsewhere = /^gitdir: (.+)$/m.exec((await readTextIfThere(git)) ?? '')?.[1]
    if (elsewhere === undefined) continue
    const folder = path.resolve(root, elsewhere)
    const common = (await readTextIfThere(path.join(folder, 'commondir')))?.trim() ?? '.'
    const config = await readTextIfThere(path.join(folder, common, 'config'))
    if (config !== undefined) return { root, config }
  }
  return undefined
}

function hostOf(env: Surroundings['env'], debug: Surroundings['debug']): string {
  try {
    return gitHubAccount('github:', env).host
  } catch (error) {
    if (!(error instanceof KeysError)) throw error
    debug(error.message)
    return 'github.com'
  }
}

/** `owner/repo` of a remote's URL, as git takes it, where that is on the host. */
function repositoryOf(url: string, host: string): string | undefined {
  const [, of, owner, repo] =
    /^(?:(?:https?|ssh|git):\/\/(?:[^@/]*@)?|[^@/:]+@)([^/:]+)(?::\d+)?[/:]\/?([\w.-]+)\/([\w.-]+?)(?:\.git)?\/?$/.exec(
      url,
    ) ?? []
  const isThere = of?.toLowerCase().replace(/^(?:www|ssh)\./, '') === host.replace(/:\d+$/, '')
  return isThere && owner !== undefined && repo !== undefined ? `${owner}/${repo}` : undefined
}

/** The secrets whose names say Pictify, or that a variable whose name does is made of. */
async function secretsOf(root: string): Promise<string[]> {
  const folder = path.join(root, '.github', 'workflows')
  const workflows = (await namesIn(folder)).filter((name) => /\.ya?ml$/.test(name))
  const texts = await Promise.all(workflows.map((name) => readTextIfThere(path.join(folder, name))))
  const all = texts.join('\n')
  const named = [...all.matchAll(/\bsecrets\.(\w*PICTIFY\w*)/gi)]
  const given = [...all.matchAll(/^\s*\w*PICTIFY\w*\s*:\s*["']?\$\{\{\s*secrets\.(\w+)\s*\}\}/gim)]
  const names = [...named, ...given].map(([, name = '']) => name.toUpperCase())
  return [...new Set(names)].filter((name) => !name.includes('ADMIN') && !name.startsWith('GITHUB_'))
}
