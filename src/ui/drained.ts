/** Resolves when the stream takes more, or is gone. */
export function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ['drain', 'error', 'close']) stream.off(event, done)
      resolve()
    }
    for (const event of ['drain', 'error', 'close']) stream.on(event, done)
  })
}
