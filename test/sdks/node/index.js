// As the vendor documents its SDK for Node: what it is made with, and one call. It stands in where there is none.
export class Pictify {
  constructor({ apiKey, baseUrl = 'https://api.pictify.io' }) {
    Object.assign(this, { apiKey, baseUrl })
  }

  async renderHtml(options) {
    const answer = await fetch(`${this.baseUrl}/image`, {
      method: 'POST',
      headers: { authorization: `Bearer ${this.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(options),
    })
    if (!answer.ok) throw new Error(`the API answers ${answer.status}`)
    return answer.json()
  }
}
