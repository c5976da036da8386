// Rules of this file:
// - it alone imports nodemailer, and only when a mail is sent; it may read no file and ask no URL for one;
// - a password leaves over TLS only, but for this machine itself; no answer of a server's that may hold it is in an error.
import type { Transporter } from 'nodemailer'
import { KeysError } from '../errors.ts'
import { isLoopback } from '../http.ts'
import type { Secret } from '../secret.ts'
import { NotifierRefusal, type Letter, type Notifier } from './notifier.ts'

export interface EmailSettings {
  name: string
  /** `smtp://host:587` (STARTTLS), `smtps://host:465`. */
  server: string
  from: string
  to: readonly string[]
  user: string | undefined
  password: Secret | undefined
  /** Trusted besides those that Node trusts; PEM. */
  authorities: string[] | undefined
  debug: (line: string) => void
}

/** Of connecting, the greeting, and every answer after that. */
const stepMs = 10_000

export function createEmail(settings: EmailSettings): Notifier {
  const { name, from, to, debug } = settings
  let transport: Promise<Transporter> | undefined

  return {
    name,
    kind: 'email',

    async send(letter, signal) {
      transport ??= open(settings)
      const mail = await transport
      try {
        const sent = await mail.sendMail({ ...mailOf(letter), from, to: [...to], signal })
        const { accepted = [], rejected = [] } = sent
        debug(`notifier ${name}: ${accepted.length} of ${to.length} recipients accepted`)
        // those that were accepted have it: it is not sent again for the others
        return rejected.length === 0 ? undefined : `not taken for ${rejected.join(', ')}`
      } catch (error) {
        signal.throwIfAborted()
        throw failure(error, settings)
      }
    },

    async close() {
      ;(await transport)?.close()
    },
  }
}

async function open({ server, user, password, authorities }: EmailSettings): Promise<Transporter> {
  const { createTransport } = await import('nodemailer')
  const { protocol, hostname, port } = new URL(server)
  const secure = protocol === 'smtps:'
  // an URL has brackets around an IPv6 address
  const host = hostname.replace(/^\[|\]$/g, '')
  return createTransport({
    host,
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    // what is offered is taken; with a password it must be
    requireTLS: !secure && password !== undefined && !isLoopback(hostname),
    ...(user !== undefined && password !== undefined && { auth: { user, pass: password.reveal() } }),
    tls: { ...(authorities && { ca: authorities }), servername: /^[\d.]+$|:/.test(host) ? '' : host },
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    socketTimeout: stepMs,
    dnsTimeout: stepMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

function mailOf({ id, follows, at, subject, text, html }: Letter) {
  const messageId = (of: string) => `<${of}@pictify-keys.invalid>`
  return {
    messageId: messageId(id),
    ...(follows !== undefined && { inReplyTo: messageId(follows), references: [messageId(follows)] }),
    date: new Date(at),
    subject,
    text,
    html,
    // RFC 3834: nothing that answers mail by itself answers this
    headers: { 'Auto-Submitted': 'auto-generated' },
  }
}

interface MailError {
  code?: string
  responseCode?: number
  command?: string
  /** Of the system's own error, whose code is not kept. */
  syscall?: string
}

/** What a server answers may repeat what it was sent, so that only its number is told. */
function failure(error: unknown, { server }: EmailSettings): KeysError {
  if (!(error instanceof Error)) throw error
  const { host } = new URL(server)
  const { code = '', responseCode, command, syscall } = error as MailError
  const answered =
    responseCode === undefined
      ? ''
      : ` (${responseCode}${command === undefined ? '' : ` to ${command.split(' ')[0]}`})`
  const [message, hint, refused = false] = meaningOf(
    // nothing was said yet: this is not about TLS
    syscall === 'connect' ? 'ECONNECTION' : code,
    host,
    answered,
    responseCode,
  )
  const details = { hint, cause: error }
  return refused ? new NotifierRefusal(message, details) : new KeysError('notifier-failed', message, details)
}

function meaningOf(code: string, host: string, answered: string, status = 0): [string, string, boolean?] {
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return [`${host} refused the login${answered}`, 'look at the variables of userEnv and passwordEnv']
    case 'ETLS':
    case 'ESOCKET':
      return [
        `no secure connection to ${host}`,
        'does it offer STARTTLS (smtp://) or TLS (smtps://)? trust its authority with --ca-file',
      ]
    case 'EDNS':
      return [`there is no host ${host}`, 'look for a typing error in its server']
    case 'ETIMEDOUT':
      return [`${host} did not answer in time`, 'is the server running, and is its port right?']
    case 'ECONNECTION':
      return [`${host} cannot be reached`, 'is the server running, and is its port right?']
    case 'EENVELOPE':
      return [
        `${host} refused the sender or every recipient${answered}`,
        'look at from and to',
        status >= 500,
      ]
    case 'EMESSAGE':
      return [`${host} refused the message${answered}`, 'its log may say why', status >= 500]
    default:
      return [`${host} did not take the message${answered}`, 'its log may say why']
  }
}
