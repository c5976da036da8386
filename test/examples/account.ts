// The account that every example rotates in: a live key of a hundred days, which nobody uses just now.
import { createSandbox, type Sandbox, type SandboxKey } from '../../src/sandbox/server.ts'

export interface ExampleAccount {
  sandbox: Sandbox
  /** "Production Server". */
  old: SandboxKey
  /** What signs a job in. */
  env: { PICTIFY_API_URL: string; PICTIFY_ADMIN_KEY: string }
  /** The key that took the name of the old one. Fails the test where there is none. */
  successor(): SandboxKey
  /** Fails the test where any of what a job left shows a secret of the account. */
  refuseSecrets(...texts: string[]): void
}

const hundredDays = 100 * 86_400_000

export async function openAccount(name = 'Production Server'): Promise<ExampleAccount> {
  const sandbox = await createSandbox({ propagationMs: 0, seed: 7 })
  const old = sandbox.dashboard.create({ name, createdAt: Date.now() - hundredDays })
  return {
    sandbox,
    old,
    env: { PICTIFY_API_URL: sandbox.url, PICTIFY_ADMIN_KEY: sandbox.adminKey.reveal() },
    successor() {
      const [found] = sandbox.keys().filter((key) => key.name === name && key.id !== old.id)
      if (found === undefined) throw new Error(`there is no second key ${name}`)
      return found
    },
    refuseSecrets(...texts) {
      for (const { name: whose, secret } of sandbox.keys()) {
        if (texts.some((each) => each.includes(secret.reveal())))
          throw new Error(`the secret of ${whose} shows`)
      }
    },
  }
}
