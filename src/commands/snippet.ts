import { defaultBaseUrl } from '../api/base-url.ts'
import type { Context } from '../context.ts'
import { createSnippet, type Snippet, type SnippetKind } from '../ui/snippets.ts'

/** How an application is given a key of the API in force. */
export async function snippetOf(
  context: Context,
  kind: SnippetKind,
  keyId: string | undefined,
): Promise<Snippet> {
  const apiUrl = await context.apiUrl()
  return createSnippet(kind, { apiUrl: apiUrl === defaultBaseUrl ? undefined : apiUrl, keyId })
}
