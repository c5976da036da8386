import { expect, test } from 'vitest'
import { Secret } from '../../src/secret.ts'
import { setStage } from '../rotation/stage.ts'

test.each(['status-504', 'cut', 'html'])(
  'whose secret it is is found though one request meets %s',
  async (fault) => {
    const stage = await setStage()
    try {
      stage.sandbox.addFault(`${fault}:GET /templates@1`)
      expect(await stage.client().whose(stage.old.secret)).toBe(stage.old.id)
    } finally {
      await stage.end()
    }
  },
)

test('whose secret it is is not known of one that no key has, and of one that no answer comes for', async () => {
  const stage = await setStage()
  try {
    expect(await stage.client().whose(new Secret('pk_live_nobodysnobodysnobodys'))).toBeUndefined()
    stage.sandbox.addFault('status-503:GET /templates')
    expect(await stage.client().whose(stage.old.secret)).toBeUndefined()
    expect(stage.sandbox.requests.length, 'it gives up').toBeLessThan(20)
  } finally {
    await stage.end()
  }
})
