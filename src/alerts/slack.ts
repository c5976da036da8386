import type { Notifier } from './notifier.ts'
import { post, type PostDeps } from './post.ts'

/** An incoming webhook of Slack's, or of what takes the same (Mattermost, Rocket.Chat). */
export function createSlack({ name, url }: { name: string; url: string }, deps: PostDeps): Notifier {
  return {
    name,
    kind: 'slack',
    close: async () => {},
    send: ({ slack }, signal) =>
      post({ name, url, body: JSON.stringify(slack), headers: () => ({}) }, deps, signal),
  }
}
