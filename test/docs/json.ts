// What is printed with --json, held to schema/.
import { createValidators } from '../schema/schemas.ts'
import { programLines, wordsOf } from './words.ts'

const validators = createValidators()

/** What of a command's JSON is not as its schema says. */
export function unschematic(command: string, printed: string): string[] {
  const [line] = programLines({ lines: [command] })
  const words = line === undefined ? [] : wordsOf(line)
  const name = words.find((word) => !word.startsWith('-'))
  if (name === undefined || !words.includes('--json')) return []
  const whole = parse(printed)
  const documents = whole === undefined ? printed.split('\n').map(parse) : [whole]
  return documents.flatMap((document) => {
    if (document === undefined) return []
    const schema = 'error' in document ? 'error' : 'event' in document ? 'event' : name
    const validate = validators.of(schema)
    return validate(document) ? [] : [`not as schema/${schema}.json says: ${JSON.stringify(validate.errors)}`]
  })
}

function parse(text: string): object | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as object
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
