import { defaultBaseUrl } from './api/base-url.ts'
import type { Config } from './config.ts'
import { adminKeyVariable } from './credentials/environment.ts'
import { KeysError } from './errors.ts'

/** The key of a profile goes to the API it was proved against, whatever a flag or a variable says. */
export function refuseElsewhere({ profile, settings }: Config, apiUrl: string): void {
  const own = settings.apiUrl ?? defaultBaseUrl
  if (URL.canParse(own) && new URL(own).origin === new URL(apiUrl).origin) return
  throw new KeysError(
    'not-signed-in',
    `the key of profile ${profile} is for ${own}; it is not sent to ${apiUrl}`,
    {
      hint: `sign in there: pictify-keys login --profile <name> --api-url ${apiUrl}; or set ${adminKeyVariable}`,
    },
  )
}
