// The blocks of the documents that need a keychain, with a real Secret Service.
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { type KeychainFacts, openSecretService, type SecretService } from '../credentials/secret-service.ts'
import { sessions } from './documents.ts'
import { runSession } from './run.ts'

const facts = inject('servers')['keychain'] as KeychainFacts | undefined
const needing = sessions.filter(({ blocks }) => blocks.some(({ keychain }) => keychain !== undefined))

describe.skipIf(!facts)('with a keychain', () => {
  let service: SecretService
  beforeEach(async () => {
    service = await openSecretService(facts as KeychainFacts)
  })
  afterEach(() => service.end())

  test.each(needing.map((session) => [session.title, session] as const))(
    '%s: every command prints what it says',
    async (_title, session) => {
      const differences = await runSession(session, service)
      expect(differences.map(({ message }) => message).join('\n\n')).toBe('')
    },
  )
})
