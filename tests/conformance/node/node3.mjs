// The classic box-node-sdk 3, from the npm prefix SDK_HOME, as the cases use it.

import { readFileSync } from 'node:fs'
import { Agent } from 'node:http'
import { createRequire } from 'node:module'
import { buffer } from 'node:stream/consumers'

import { cases } from './cases.mjs'
import { CCG_APP, OAUTH_APP } from './emulator.mjs'
import { main } from './stage.mjs'

const BoxSDK = createRequire(`${process.env.SDK_HOME}/`)('box-node-sdk')

class Sdk {
  // It believes a 401 without a body, and asks for no new token.
  endedPair = { by: 'ended', status: 401 }
  endedBearer = { by: 'ended', status: 401 }

  constructor(url, secret = OAUTH_APP.clientSecret) {
    this.url = url
    // The default is an agent for https, which Node refuses for http.
    const request = { agentClass: Agent }
    const place = { apiRootURL: url, uploadAPIRootURL: `${url}/upload`, authorizeRootURL: `${url}/api`, request }
    this.place = place
    this.sdk = new BoxSDK({ clientID: OAUTH_APP.clientId, clientSecret: secret, ...place })
  }

  withSecret(secret) {
    return new Sdk(this.url, secret)
  }

  authorizeUrl(redirectUri) {
    const parameters = { response_type: 'code', redirect_uri: redirectUri, state: 'a state of ours' }
    return this.sdk.getAuthorizeURL(parameters)
  }

  async login(code) {
    return this.#persistent(await this.sdk.getTokensAuthorizationCodeGrant(code))
  }

  resume([accessToken, refreshToken]) {
    return this.#persistent({ accessToken, refreshToken, accessTokenTTLMS: 3_600_000, acquiredAtMS: Date.now() })
  }

  bearer(token) {
    return new Session(this.sdk, this.sdk.getBasicClient(token), this.url)
  }

  revoke(token) {
    return this.sdk.revokeTokens(token)
  }

  ccg({ enterprise, user }) {
    const { clientId, clientSecret } = CCG_APP
    const sdk = new BoxSDK({ clientID: clientId, clientSecret, enterpriseID: enterprise, ...this.place })
    return new Session(sdk, user ? sdk.getCCGClientForUser(user) : sdk.getAnonymousClient(), this.url)
  }

  jwt(settingsFile, { user, algorithm = 'RS256', retries = true } = {}) {
    const sdk = BoxSDK.getPreconfiguredInstance(JSON.parse(readFileSync(settingsFile)))
    sdk.configure({ ...this.place, numMaxRetries: retries ? 5 : 0, appAuth: { ...sdk.config.appAuth, algorithm } })
    const client = user ? sdk.getAppAuthClient('user', user) : sdk.getAppAuthClient('enterprise')
    return new Session(sdk, client, this.url)
  }

  // It has one error for all, which knows the answer; `authExpired` marks those that end a session.
  isOwnError(error, by) {
    if (error.response === undefined || error.statusCode === undefined) return false
    return by !== 'ended' || error.authExpired === true
  }

  refusal({ statusCode, response: { body } }) {
    return {
      status: statusCode,
      code: body?.code ?? body?.error,
      words: body?.message ?? body?.error_description,
      requestId: body?.request_id,
    }
  }

  #persistent(tokens) {
    const store = new Store(tokens)
    return new Session(this.sdk, this.sdk.getPersistentClient(tokens, store), this.url, store)
  }
}

// Where an app would keep the tokens of one person.
class Store {
  constructor(tokens) {
    this.tokens = tokens
  }

  read(done) {
    done(null, this.tokens)
  }

  write(tokens, done) {
    this.tokens = tokens
    done()
  }

  clear(done) {
    this.tokens = undefined
    done()
  }
}

class Session {
  constructor(sdk, client, url, store) {
    this.sdk = sdk
    this.client = client
    this.url = url
    this.store = store
  }

  async pair() {
    const { accessToken, refreshToken } = this.store.tokens
    return [accessToken, refreshToken]
  }

  // What it stores when it refreshes by itself, this time at our word.
  async refresh() {
    const tokens = await this.sdk.getTokensRefreshGrant(this.store.tokens.refreshToken)
    this.store.write(tokens, () => {})
    this.client = this.sdk.getPersistentClient(tokens, this.store)
  }

  revoke() {
    return this.client.revokeTokens()
  }

  async downscope(scopes, { file, folder, sharedLink, actor } = {}) {
    const resource = file ? `/2.0/files/${file}` : folder && `/2.0/folders/${folder}`
    const options = { actor, sharedLink: sharedLink && { url: sharedLink } }
    return (await this.client.exchangeToken(scopes, resource && this.url + resource, options)).accessToken
  }

  me() {
    return this.client.users.get('me')
  }

  async list(folder) {
    return (await this.client.folders.getItems(folder, { limit: 1000 })).entries
  }

  async idsByOffset(folder, limit) {
    const ids = []
    for (;;) {
      const page = await this.client.folders.getItems(folder, { limit, offset: ids.length })
      ids.push(...page.entries.map((entry) => entry.id))
      if (ids.length >= page.total_count) return ids
    }
  }

  async idsByMarker(folder, limit) {
    const ids = []
    let marker
    do {
      const page = await this.client.folders.getItems(folder, { limit, usemarker: true, marker })
      ids.push(...page.entries.map((entry) => entry.id))
      marker = page.next_marker
    } while (marker)
    return ids
  }

  async file(id) {
    const { name, size, sha1 } = await this.client.files.get(id)
    return { id, name, size, sha1 }
  }

  async download(id) {
    return buffer(await this.client.files.getReadStream(id))
  }

  async upload(folder, name, content) {
    return (await this.client.files.uploadFile(folder, name, content)).entries[0].id
  }

  rename(id, name) {
    return this.client.files.update(id, { name })
  }

  delete(id) {
    return this.client.files.delete(id)
  }

  async search(query) {
    return (await this.client.search.query(query)).entries.map((entry) => entry.id)
  }

  async share(id) {
    const file = await this.client.files.update(id, { shared_link: { access: 'open' }, fields: 'shared_link' })
    return file.shared_link.url
  }

  async sharedItem(url) {
    return (await this.client.sharedItems.get(url)).id
  }
}

await main(cases, (url) => new Sdk(url))
