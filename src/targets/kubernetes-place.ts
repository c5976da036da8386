import { cutField, invalid } from './scheme.ts'

export const usage = 'k8s:<namespace>/<secret>#<key>'

export const isNamespace = (text: string) => /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(text)
export const isObjectName = (text: string) => /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(text)

export interface SecretPlace {
  namespace: string
  secret: string
  key: string
}

/** What a `k8s:` target names; undefined for a target of another kind. Throws `invalid-target`. */
export function parseSecretPlace(name: string): SecretPlace | undefined {
  if (!name.startsWith('k8s:')) return undefined
  const { place, field: key } = cutField(name, name.slice('k8s:'.length), usage)
  const [namespace = '', secret = '', ...rest] = place.split('/')
  if (secret === '' || rest.length > 0) {
    throw invalid(
      `${name} does not name a namespace and a secret`,
      `write ${usage}, for example k8s:default/app#PICTIFY_API_KEY`,
    )
  }
  if (key === undefined) {
    throw invalid(
      `${name} does not name the key in the secret`,
      `write ${usage}, for example ${name}#PICTIFY_API_KEY`,
    )
  }
  if (!isNamespace(namespace) || !isObjectName(secret)) {
    throw invalid(
      `${name} has a name that Kubernetes does not allow`,
      'lower case letters, digits, dashes, and in a secret dots',
    )
  }
  if (!/^[-._a-zA-Z0-9]{1,253}$/.test(key) || /^\.\.?$|^\.\./.test(key) || key === '__proto__') {
    throw invalid(
      `${name}: "${key}" is not the name of a key in a secret`,
      'letters, digits, dashes, underscores and dots',
    )
  }
  return { namespace, secret, key }
}
