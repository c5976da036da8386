import { expect, it } from 'vitest'
import { certificate } from '../http-fixture.ts'
import { serveMail } from '../alerts/mail-server.ts'
import { busy, openAlerts } from './alerts-stage.ts'

it('says which recipients of a mail were refused; the others have it, once', async () => {
  const mail = await serveMail({
    onRcptTo: ({ address }, _, callback) =>
      callback(address.startsWith('gone') ? new Error('no such user') : null),
  })
  const stage = await openAlerts()
  try {
    const to = '[ops@acme.example, gone@acme.example]'
    const email = `{name: mail, type: email, server: "smtp://localhost:${mail.port}", from: a@acme.example, to: ${to}}`
    await stage.file([busy(3)], [email])
    const check = () =>
      stage.run(['alerts', 'check', '--json'], { env: { PICTIFY_CA_FILE: certificate('ca') } })
    const first = await check()
    expect(first.exit, first.stderr).toBe(10)
    expect(JSON.parse(first.stdout)).toMatchObject({
      notifiers: [{ name: 'mail', sent: 1, failed: 0, problem: 'not taken for gone@acme.example' }],
    })
    expect(first.stderr).toContain('mail: not taken for gone@acme.example')
    expect(mail.mails.map((each) => each.to)).toEqual([['ops@acme.example']])
    const second = await check()
    expect(second.exit, second.stderr).toBe(10)
    expect(second.stderr).not.toContain('not taken')
    expect(mail.mails).toHaveLength(1)
  } finally {
    await stage.end()
  }
})
