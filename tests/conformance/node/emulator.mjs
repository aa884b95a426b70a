// The emulator as a test drives it: its control API, and its authorize page as a browser would.

import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const REDIRECT_URI = 'http://localhost:8787/auth/callback'
// Known to everyone, worth nothing: the sample data of the emulator.
export const OAUTH_APP = { clientId: 'keyhole-dev', clientSecret: 'keyhole-dev-secret-not-a-secret' }
export const CCG_APP = { clientId: 'keyhole-ccg', clientSecret: 'keyhole-ccg-secret-not-a-secret' }
export const JWT_APP = { clientId: 'keyhole-jwt', clientSecret: 'keyhole-jwt-secret-not-a-secret' }

// What a case found, in a sentence.
export class Failed extends Error {}

// One emulator, at `url`.
export class Emulator {
  constructor(url) {
    this.url = url
  }

  reset() {
    return this.#ask('POST', 'reset', {})
  }

  settings(switches) {
    return this.#ask('POST', 'settings', switches)
  }

  // Something to go wrong, once unless `count` says otherwise.
  fault(order) {
    return this.#ask('POST', 'faults', order)
  }

  expire(kind) {
    return this.#ask('POST', 'expire', { kind })
  }

  // Box's clock goes forward; this machine's does not.
  advance(seconds) {
    return this.#ask('POST', 'clock', { advance_seconds: seconds })
  }

  // Every token there ever was, by its value.
  async tokens() {
    const { tokens } = await this.#ask('GET', 'ledger')
    return new Map(tokens.map((token) => [token.value, token]))
  }

  // The statuses that calls of `path`, by that grant if one is named, were answered with, in order.
  async callsOf(path, grantType) {
    const { log } = await this.#ask('GET', 'calls')
    const calls = log.filter((call) => call.path === path && (!grantType || call.grant_type === grantType))
    return calls.map((call) => call.status)
  }

  // What went wrong on order, in the words of the console's log, in order.
  async faultsMet() {
    const { entries } = await this.#ask('GET', 'log')
    return entries.map((line) => line.note ?? '').filter((note) => note.startsWith('fault: '))
  }

  // The first person, app user or service account of that kind.
  async user(kind, clientId = null) {
    const { users } = await this.#ask('GET', 'users')
    return users.find((user) => user.kind === kind && user.client_id === clientId)
  }

  async enterpriseId() {
    return (await this.#ask('GET', 'users')).enterprise_id
  }

  changeApp(clientId, members) {
    return this.#ask('PATCH', `apps/${clientId}`, members)
  }

  async developerToken(clientId, userId) {
    return (await this.#ask('POST', 'tokens', { client_id: clientId, user: userId })).access_token
  }

  // The path of the settings file that the console gives for a new key pair of the JWT app.
  async settingsFile() {
    const settings = await this.#ask('POST', `apps/${JWT_APP.clientId}/keys`, {})
    const file = join(mkdtempSync(join(tmpdir(), 'conformance-')), 'settings.json')
    writeFileSync(file, JSON.stringify(settings))
    return file
  }

  // The JWT app has no public key any more.
  async forgetKeys() {
    const { apps } = await this.#ask('GET', 'apps')
    const app = apps.find((app) => app.client_id === JWT_APP.clientId)
    for (const key of app.keys) await this.#ask('DELETE', `apps/${JWT_APP.clientId}/keys/${key.id}`)
  }

  // The code that a person's sign-in and consent bring, from the address an SDK sends them to.
  async codeFrom(authorizeUrl, parameters) {
    const address = new URL(authorizeUrl)
    for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value)
    const browser = new Browser()
    // SDKs write the address of account.box.com; the person comes here.
    await browser.open(new URL(address.pathname + address.search, this.url))
    await browser.submit('sign_in', { login: 'robin@example.com', password: 'keyhole' })
    await browser.submit('decide', {}, 'grant')
    const answer = browser.leftTo.searchParams
    if (answer.get('state') !== address.searchParams.get('state')) {
      throw new Failed('the authorize page gave back another state')
    }
    return answer.get('code')
  }

  // The status and the error with which a refresh is refused, if it is. No SDK stands between: not each of them brings
  // a refresh token that has ended.
  async refreshRefused(refreshToken) {
    const body = new URLSearchParams({
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      client_id: OAUTH_APP.clientId,
      client_secret: OAUTH_APP.clientSecret,
    })
    const answer = await fetch(`${this.url}/oauth2/token`, { method: 'POST', body })
    return answer.ok ? undefined : [answer.status, (await answer.json()).error]
  }

  async #ask(method, path, body) {
    const answer = await fetch(`${this.url}/emulator/${path}`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    if (answer.ok) return answer.json()
    throw new Failed(`${method} /emulator/${path} was answered ${answer.status}: ${await answer.text()}`)
  }
}

// A person's browser, as far as cookies, redirects and forms go.
class Browser {
  #cookies = new Map()
  #address
  #forms = []
  // Where it was sent to beyond the site.
  leftTo

  async open(address, body) {
    const answer = await fetch(address, {
      method: body ? 'POST' : 'GET',
      body,
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    })
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)
      this.#cookies.set(name, value)
    }
    if (answer.status >= 400) throw new Failed(`the authorize page answered ${answer.status}`)
    if (!answer.headers.has('location')) {
      this.#address = address
      this.#forms = formsOf(await answer.text())
      return
    }
    const next = new URL(answer.headers.get('location'), address)
    // Nobody listens at the app's address.
    if (next.origin === new URL(address).origin) await this.open(next)
    else this.leftTo = next
  }

  // Sends the form of that step, with the button of that value, as a person does who fills it in.
  async submit(step, typed, button) {
    const words = step.replace('_', ' ')
    const form = this.#forms.find((form) => form.fields.get('step') === step)
    if (!form) throw new Failed(`the authorize page shows no form to ${words}`)
    const fields = new Map(form.fields)
    for (const [name, value] of Object.entries(typed)) {
      if (!fields.has(name)) throw new Failed(`the form to ${words} has no field ${name}`)
      fields.set(name, value)
    }
    if (button) fields.set(form.buttons.get(button), button)
    await this.open(new URL(form.action, this.#address), new URLSearchParams([...fields]))
  }
}

// The forms of one of the emulator's own pages: tags in lower case, attributes in double quotes.
function formsOf(html) {
  const forms = []
  for (const [, tag, rest] of html.matchAll(/<(form|input|button)\b([^>]*)>/g)) {
    const attributes = new Map()
    for (const [, name, value] of rest.matchAll(/([a-z-]+)="([^"]*)"/g)) attributes.set(name, unescaped(value))
    if (tag === 'form') {
      // A button's name, by its value.
      forms.push({ action: attributes.get('action'), fields: new Map(), buttons: new Map() })
    } else if (attributes.has('name')) {
      const { fields, buttons } = forms.at(-1)
      if (tag === 'input') fields.set(attributes.get('name'), attributes.get('value') ?? '')
      else buttons.set(attributes.get('value'), attributes.get('name'))
    }
  }
  return forms
}

function unescaped(text) {
  const letters = { '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'", '&amp;': '&' }
  return text.replace(/&(lt|gt|quot|#39|amp);/g, (escaped) => letters[escaped])
}
