import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { certificate, undo } from '../http-fixture.ts'

export interface MailServer {
  port: number
  /** As they came in, and as a reader of mail reads them. */
  mails: { raw: string; mail: Email; from: string; to: string[]; user: string | undefined; secure: boolean }[]
  logins: { user: string | undefined; secure: boolean }[]
}

/** A real SMTP server with STARTTLS (or TLS, with `secure`), which is closed after the test. */
export async function serveMail(
  options: SMTPServerOptions = {},
  password = 'opensesame',
): Promise<MailServer> {
  const [cert, key] = await Promise.all([
    readFile(certificate('localhost')),
    readFile(certificate('server-key')),
  ])
  const served: MailServer = { port: 0, mails: [], logins: [] }
  const server = new SMTPServer({
    cert,
    key,
    authOptional: true,
    logger: false,
    closeTimeout: 100,
    onAuth({ username, password: given }, { secure }, callback) {
      served.logins.push({ user: username, secure })
      if (given === password) return callback(null, { user: username })
      // as some servers do: the answer repeats what was sent
      callback(new Error(`the password ${given} of ${username} is wrong`))
    },
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const raw = Buffer.concat(chunks).toString()
        const { mailFrom, rcptTo } = session.envelope
        PostalMime.parse(raw).then((mail) => {
          served.mails.push({
            raw,
            mail,
            from: mailFrom === false ? '' : mailFrom.address,
            to: rcptTo.map(({ address }) => address),
            user: session.user as string | undefined,
            secure: session.secure,
          })
          callback()
        }, callback)
      })
    },
    ...options,
  })
  server.on('error', () => undefined)
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', () => resolve()))
  served.port = (server.server.address() as AddressInfo).port
  undo.push(() => new Promise<void>((resolve) => server.close(() => resolve())))
  return served
}

/** Takes connections and says nothing. */
export async function serveSilence(): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  undo.push(() => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => server.close(() => resolve()))
  })
  return (server.address() as AddressInfo).port
}
