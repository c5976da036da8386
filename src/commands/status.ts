import { KeysError, ToldError } from '../errors.ts'
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
    if (failure === undefined) return
    // at a terminal the report says it all; to a log and to scripts it is told what decides the exit
    const Failure = context.out.toTerminal && !context.out.json ? ToldError : KeysError
    throw new Failure(failure.code, failure.message, { hint: failure.hint, status: failure.status })
  },
})
