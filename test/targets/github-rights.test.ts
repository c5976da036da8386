// That the rights of docs/targets.md are enough, and none too many.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { Grant } from '../servers/github-grants.ts'
import { failure, old, successor } from './contract-fixture.ts'
import {
  environment,
  held,
  holders,
  organization,
  repo,
  server,
  target,
  useGitHub,
  warned,
} from './github-fixture.ts'

useGitHub()

describe('the rights of docs/targets.md', () => {
  const document = readFileSync(fileURLToPath(new URL('../../docs/targets.md', import.meta.url)), 'utf8')
  /** One row of the table: `| target | permission | scope | role |`. */
  function row(usage: string) {
    const cells = document
      .split('\n')
      .find((line) => line.startsWith(`| \`${usage}\` |`) && line.includes('(read and write)'))
      ?.split('|')
      .map((cell) => cell.trim().replaceAll('`', ''))
    const [, , permission = '', scope = '', role = ''] = cells ?? []
    return {
      permission: permission.replace(' (read and write)', ''),
      scope,
      role: role === 'owner' ? ('admin' as const) : (role as 'write' | 'admin'),
    }
  }
  const places = [
    ['github:<owner>/<repo>', repo],
    ['github:<owner>/<repo>/<environment>', environment],
    ['github-org:<org>', organization],
  ] as const

  async function doAll(spec: string, grant: Grant): Promise<void> {
    const one = target(spec, grant)
    await one.check()
    await one.write(successor, undefined)
    expect(held(spec)?.value).toBe(successor.reveal())
    await one.restore({ value: old }, successor)
    expect(held(spec)?.value).toBe(old.reveal())
    server.change(holders[spec] ?? '', 'KEY', undefined)
    const made = target(spec, grant, { createTarget: true })
    await made.check()
    await made.write(successor, undefined)
    expect(held(spec)?.value).toBe(successor.reveal())
    await made.restore(undefined, successor)
    expect(held(spec)).toBeUndefined()
  }

  describe.each(places)('%s', (usage, spec) => {
    test('are enough', async () => {
      const { permission, scope, role } = row(usage)
      await doAll(spec, { role, permissions: { [permission]: 'write' } })
      const unproved = warned.filter((line) => line.includes(`cannot be proved before it does; it needs "`))
      expect(unproved).toHaveLength(2)
      server.change(holders[spec] ?? '', 'KEY', old.reveal())
      await doAll(spec, { role, scopes: [scope] })
      server.change(holders[spec] ?? '', 'KEY', old.reveal())
      await doAll(spec, { role: 'read', isInstallation: true, permissions: { [permission]: 'write' } })
    })

    test('and no less is', async () => {
      const { permission, scope, role } = row(usage)
      const less: Grant[] = [
        { role, permissions: {} },
        { role, permissions: { [permission]: 'read' } },
        { role, scopes: ['public_repo', 'read:org', 'workflow'] },
        { role, scopes: [] },
        ...(usage.includes('<repo>') ? [{ role: 'read' as const, scopes: [scope] }] : []),
      ]
      for (const grant of less) {
        const one = target(spec, grant)
        const error = await failure(one.check().then(() => one.write(successor, undefined)))
        expect(error).toMatchObject({ code: 'target-refused' })
        expect(`${error.message} ${error.hint}`).toContain(grant.scopes ? scope : permission.split(': ')[1])
        expect(held(spec)?.value).toBe(old.reveal())
      }
    })
  })

  test('an environment of a repository that the owner does not administer: may be refused', async () => {
    await target(environment, { role: 'write', scopes: ['repo'] }).check()
    expect(warned.join()).toContain("the token's owner is no admin of repository acme/app")
  })

  test('a workflow’s own token: that it never can is said', async () => {
    const error = await failure(
      target(repo, { role: 'write', isInstallation: true, permissions: {} }).check(),
    )
    expect(error).toMatchObject({ code: 'target-refused' })
    expect(error.hint).toMatch(/a workflow's own GITHUB_TOKEN can never touch secrets/)
  })
})
