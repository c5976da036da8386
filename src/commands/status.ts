import { KeysError } from '../errors.ts'
import { statusText } from '../ui/status.ts'
import { defineCommand } from './command.ts'
import { inspect } from './status-report.ts'

export const status = defineCommand({
  name: 'status',
  summary: 'is everything in order? credential, API, plan, open rotations',
  examples: ['pictify-keys status', 'pictify-keys status --json'],

  async run(context) {
    const { status: report, failure } = await inspect(context)
    context.out.result({ status: report }, (data) => statusText(data.status, context.out))
    // the report says it all; the exit code says it to scripts
    if (failure)
      throw new KeysError(failure.code, failure.message, { hint: failure.hint, status: failure.status })
  },
})
