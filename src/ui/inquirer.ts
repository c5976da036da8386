/** The questions themselves; loaded when one is really asked. */
export { confirm, input, password, select } from '@inquirer/prompts'
