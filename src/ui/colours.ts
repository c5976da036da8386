import { Chalk } from 'chalk'
import type { Paint } from './paint.ts'

/** The colours themselves. Loaded only where they are wanted; whether they are is decided in `paint.ts`. */
export const colours: Paint = new Chalk({ level: 1 })
