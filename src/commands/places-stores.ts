import path from 'node:path'
import { readTextIfThere, sectionsOf } from './looking.ts'
import type { FoundPlace, Surroundings } from './places.ts'

type Env = Surroundings['env']

/** The stores that this shell is set up for, as their own programs would find them. */
export async function stores(around: Surroundings): Promise<FoundPlace[]> {
  const found = await Promise.all([kubernetes(around), aws(around), vault(around), google(around)])
  return found.flatMap((place) => (place === undefined ? [] : [place]))
}

const homeOf = (env: Env) => env['HOME'] || env['USERPROFILE']

async function kubernetes({ cwd, env }: Surroundings): Promise<FoundPlace | undefined> {
  const named = (env['KUBECONFIG'] ?? '').split(path.delimiter).filter((file) => file !== '')
  const home = homeOf(env)
  const files = named.length > 0 ? named : home ? [path.join(home, '.kube', 'config')] : []
  const texts = await Promise.all(files.map((file) => readTextIfThere(path.resolve(cwd, file))))
  const present = texts.filter((text) => text !== undefined)
  if (present.length === 0) return undefined
  const { readContext } = await import('./kube-context.ts')
  const context = readContext(present)
  if (context === undefined) return undefined
  const { name, namespace } = context
  return {
    label: `k8s:${namespace}/…#…`,
    reason: `the context ${name}, namespace ${namespace}`,
    spec: (answer) => `k8s:${namespace}/${answer}`,
    missing: { question: `Which Secret of namespace ${namespace}, and which key in it? (<secret>#<key>)` },
  }
}

async function aws({ env }: Surroundings): Promise<FoundPlace | undefined> {
  const profile = env['AWS_PROFILE'] || env['AWS_DEFAULT_PROFILE']
  const seen = ['AWS_ACCESS_KEY_ID', 'AWS_WEB_IDENTITY_TOKEN_FILE', 'AWS_REGION', 'AWS_DEFAULT_REGION']
  const variable = seen.find((name) => env[name])
  if (!profile && variable === undefined) return undefined
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'] || (await regionOf(profile, env))
  return {
    label: 'aws-sm:…',
    reason: [profile ? `AWS_PROFILE ${profile}` : variable, region].filter((part) => part).join(', '),
    spec: (answer) => `aws-sm:${answer}`,
    missing: { question: 'Which secret of AWS Secrets Manager? (<name or ARN>, or <name>#<JSON field>)' },
  }
}

async function regionOf(profile: string | undefined, env: Env): Promise<string | undefined> {
  const home = homeOf(env)
  const file = env['AWS_CONFIG_FILE'] || (home ? path.join(home, '.aws', 'config') : undefined)
  const text = file === undefined ? undefined : await readTextIfThere(file)
  if (text === undefined || !profile) return undefined
  return sectionsOf(text)
    .get(profile === 'default' ? profile : `profile ${profile}`)
    ?.get('region')
}

async function vault({ env }: Surroundings): Promise<FoundPlace | undefined> {
  const variable = ['BAO_ADDR', 'VAULT_ADDR'].find((name) => env[name])
  if (variable === undefined) return undefined
  const address = env[variable] ?? ''
  // an address may be written with a password in it
  const shown = URL.canParse(address) ? new URL(address).host : 'no URL'
  return {
    label: 'vault:…#…',
    reason: `${variable} ${shown}`,
    spec: (answer) => `vault:${answer}`,
    missing: { question: 'Which secret of the vault, and which field in it? (<mount>/<path>#<field>)' },
  }
}

async function google({ env }: Surroundings): Promise<FoundPlace | undefined> {
  const variable = ['CLOUDSDK_CORE_PROJECT', 'GOOGLE_CLOUD_PROJECT', 'GCLOUD_PROJECT'].find(
    (name) => env[name],
  )
  const project = variable === undefined ? await gcloudProject(env) : env[variable]
  if (!project) return undefined
  return {
    label: `gcp-sm:projects/${project}/secrets/…`,
    reason: variable ?? 'the project of gcloud',
    spec: (answer) => `gcp-sm:projects/${project}/secrets/${answer}`,
    missing: { question: `Which secret of the project ${project}? (<name>, or <name>#<JSON field>)` },
  }
}

async function gcloudProject(env: Env): Promise<string | undefined> {
  const home = homeOf(env)
  const folder = env['CLOUDSDK_CONFIG'] || (home ? path.join(home, '.config', 'gcloud') : undefined)
  if (folder === undefined) return undefined
  const active = await readTextIfThere(path.join(folder, 'active_config'))
  const name = env['CLOUDSDK_ACTIVE_CONFIG_NAME'] || active?.trim()
  if (!name || !/^[a-z][-a-z0-9]*$/.test(name)) return undefined
  const text = await readTextIfThere(path.join(folder, 'configurations', `config_${name}`))
  return text === undefined ? undefined : sectionsOf(text).get('core')?.get('project')
}
