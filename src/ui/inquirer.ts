/** The questions themselves; loaded when one is really asked. */
export { checkbox, confirm, input, password, select } from '@inquirer/prompts'
export { search } from './search.ts'
