import type { Flag, Inputs } from './commands/command.ts'

/** The flags of every command, accepted before and after its name. */
export const globalFlags = {
  json: { type: 'boolean', summary: 'one JSON document on stdout, JSON lines on stderr' },
  profile: {
    type: 'string',
    value: 'name',
    env: 'PICTIFY_PROFILE',
    summary: 'the profile whose settings and credential are used',
  },
  apiUrl: { type: 'string', value: 'url', env: 'PICTIFY_API_URL', summary: 'base URL of the API' },
  plan: {
    type: 'choice',
    choices: ['free', 'pro', 'business', 'enterprise'],
    env: 'PICTIFY_PLAN',
    summary: 'the plan, where its rate limit does not tell',
  },
  timeout: {
    type: 'duration',
    env: 'PICTIFY_TIMEOUT',
    summary: 'how long one request may take',
    default: '30s',
  },
  caFile: {
    type: 'string',
    value: 'path',
    env: 'PICTIFY_CA_FILE',
    summary: 'PEM file of certificate authorities to trust besides the usual',
  },
  insecureHttp: {
    type: 'boolean',
    env: 'PICTIFY_INSECURE_HTTP',
    summary: 'allow http:// to another machine; the credential travels in clear',
  },
  stateDir: {
    type: 'string',
    value: 'path',
    env: 'PICTIFY_KEYS_STATE_DIR',
    summary: 'where rotations keep their journals and receipts',
  },
  quiet: { type: 'boolean', short: 'q', summary: 'say nothing but data, warnings and errors' },
  debug: {
    type: 'boolean',
    env: 'PICTIFY_DEBUG',
    summary: 'tell every request, and where an error comes from',
  },
  plain: {
    type: 'boolean',
    env: 'PICTIFY_PLAIN',
    summary: 'lines only, for screen readers: no spinner, nothing drawn anew',
  },
  noColor: { type: 'boolean', summary: 'no colour (as NO_COLOR)' },
} as const satisfies Record<string, Flag>

export type Globals = Inputs<[], typeof globalFlags>
