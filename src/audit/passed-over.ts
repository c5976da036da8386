import type { SearchedTree } from './survey.ts'
import { listed } from './wording.ts'

/** What of a working tree was not looked at, or is not listed: a sentence each, lower case, no full stop. */
export function passedOverIn({ unread, strangers, isCut }: Omit<SearchedTree, 'secrets'>): string[] {
  return [
    ...(unread > 0
      ? [`files of the working tree that cannot be read, and were not searched: ${unread}`]
      : []),
    ...(strangers.length > 0
      ? [
          `repositories in the working tree that are no part of it, and were not searched: ${listed(strangers)}`,
        ]
      : []),
    ...(isCut ? ['there are more secrets in the working tree than are listed'] : []),
  ]
}
