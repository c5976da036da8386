// Who may do what: roles of permissions, bound to a secret or to its project.
import { Status } from './status.ts'

const versions = (...verbs: string[]) => verbs.map((verb) => `secretmanager.versions.${verb}`)
const secrets = (...verbs: string[]) => verbs.map((verb) => `secretmanager.secrets.${verb}`)

/** Google's own roles, as they are published. */
const predefined: Record<string, string[]> = {
  'roles/secretmanager.admin': [
    ...versions('access', 'add', 'destroy', 'disable', 'enable', 'get', 'list'),
    ...secrets('create', 'delete', 'get', 'getIamPolicy', 'list', 'setIamPolicy', 'update'),
  ],
  'roles/secretmanager.secretAccessor': versions('access'),
  'roles/secretmanager.secretVersionAdder': versions('add'),
  'roles/secretmanager.secretVersionManager': versions('add', 'destroy', 'disable', 'enable', 'get', 'list'),
  'roles/secretmanager.viewer': [...secrets('get', 'getIamPolicy', 'list'), ...versions('get', 'list')],
}

export interface Iam {
  /** Makes a role of a project's own. */
  define(role: string, permissions: readonly string[]): void
  /** `resource`: a project or a secret, by the project's name. */
  grant(resource: string, member: string, ...roles: string[]): void
  revoke(member: string): void
  has(resource: string, member: string, permission: string): boolean
  /** Throws PERMISSION_DENIED as the service words it; `resource` is what was asked for. */
  require(resource: string, member: string, permission: string): void
}

export function createIam(): Iam {
  const roles = new Map(Object.entries(predefined))
  let bindings: { resource: string; member: string; role: string }[] = []

  const iam: Iam = {
    define: (role, permissions) => void roles.set(role, [...permissions]),
    grant(resource, member, ...names) {
      for (const role of names) {
        if (!roles.has(role)) throw new Error(`there is no role ${role}`)
        bindings.push({ resource, member, role })
      }
    },
    revoke(member) {
      bindings = bindings.filter((binding) => binding.member !== member)
    },
    has: (resource, member, permission) =>
      bindings.some(
        (binding) =>
          binding.member === member &&
          `${resource}/`.startsWith(`${binding.resource}/`) &&
          roles.get(binding.role)?.includes(permission),
      ),
    require(resource, member, permission) {
      if (iam.has(resource, member, permission)) return
      throw new Status(
        'PERMISSION_DENIED',
        `Permission '${permission}' denied for resource '${resource}' (or it may not exist).`,
        { reason: 'IAM_PERMISSION_DENIED', domain: 'iam.googleapis.com', metadata: { permission, resource } },
      )
    },
  }
  return iam
}
