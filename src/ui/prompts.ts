/** Questions to a person. Without a terminal each throws `needs-answer` (exit 2), naming the flag that would have answered. */
export interface Prompts {
  /** Throws `interrupted` on Ctrl-C; resolves only on yes; throws `usage` ("not confirmed") on no. */
  confirm(question: string, flag: string): Promise<void>
  /** Asks for the exact text (a name typed to confirm). */
  typed(question: string, expected: string, flag: string): Promise<void>
  text(question: string, flag: string): Promise<string>
  /** Hidden input. */
  secret(question: string, flag: string): Promise<string>
  select<T>(question: string, choices: { name: string; value: T }[], flag: string): Promise<T>
}
