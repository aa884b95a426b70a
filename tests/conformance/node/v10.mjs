// The generated SDKs, box-node-sdk 10 and box-typescript-sdk-gen, as the cases use them. They are one code base under
// two names; `modules` says where each keeps what its index does not export.

import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { CCG_APP, OAUTH_APP } from './emulator.mjs'

export function sdkOf(modules) {
  const { BoxCcgAuth, BoxClient, BoxDeveloperTokenAuth, BoxJwtAuth, BoxOAuth } = modules
  const { BaseUrls, BoxApiError, BoxSdkError, CcgConfig, JwtConfig, NetworkSession, OAuthConfig } = modules

  class Sdk {
    // A 401 makes it refresh, and the refresh token ended with the pair.
    endedPair = { by: 'token', status: 400, code: 'invalid_grant', words: 'Invalid refresh token' }
    // A 401 makes it refresh, and it says itself that there is nothing to refresh with.
    endedBearer = { by: 'bearer', words: 'Developer token has expired. Please provide a new one.' }

    constructor(url, secret = OAUTH_APP.clientSecret) {
      this.url = url
      this.app = { ...OAUTH_APP, clientSecret: secret }
      const baseUrls = new BaseUrls({ baseUrl: url, uploadUrl: `${url}/upload`, oauth2Url: `${url}/api/oauth2` })
      const network = new NetworkSession({ baseUrls })
      this.network = network
    }

    withSecret(secret) {
      return new Sdk(this.url, secret)
    }

    authorizeUrl(redirectUri) {
      return this.#oauth().getAuthorizeUrl({ redirectUri, state: 'a state of ours' })
    }

    async login(code) {
      const auth = this.#oauth()
      await auth.getTokensAuthorizationCodeGrant(code, this.network)
      return new Session(this, auth)
    }

    async resume([accessToken, refreshToken]) {
      const auth = this.#oauth()
      await auth.tokenStorage.store({ accessToken, refreshToken })
      return new Session(this, auth)
    }

    bearer(token) {
      return new Session(this, new BoxDeveloperTokenAuth({ token }))
    }

    async revoke(token) {
      await new BoxDeveloperTokenAuth({ token, config: this.app }).revokeToken(this.network)
    }

    ccg({ enterprise, user }) {
      const config = new CcgConfig({ ...CCG_APP, enterpriseId: enterprise, userId: user })
      return new Session(this, new BoxCcgAuth({ config }))
    }

    jwt(settingsFile, { user, algorithm } = {}) {
      const config = JwtConfig.fromConfigFile(settingsFile)
      if (algorithm) config.algorithm = algorithm
      const auth = new BoxJwtAuth({ config })
      return new Session(this, user ? auth.withUserSubject(user) : auth)
    }

    isOwnError(error, by) {
      return error instanceof (by === 'bearer' ? BoxSdkError : BoxApiError)
    }

    refusal(error) {
      if (!(error instanceof BoxApiError)) return { words: error.message }
      // Of a download or a deletion it keeps no body, only headers (RFC 6750 section 3).
      const { statusCode, headers, body, requestId } = error.responseInfo
      return {
        status: statusCode,
        code: body?.code ?? body?.error ?? /error="([^"]*)"/.exec(headers['www-authenticate'])?.[1],
        words: body?.message ?? body?.error_description,
        requestId,
      }
    }

    #oauth() {
      return new BoxOAuth({ config: new OAuthConfig({ ...this.app }) })
    }
  }

  class Session {
    constructor(sdk, auth) {
      this.sdk = sdk
      this.auth = auth
      this.client = new BoxClient({ auth, networkSession: sdk.network })
    }

    async pair() {
      const token = await this.auth.tokenStorage.get()
      return [token.accessToken, token.refreshToken]
    }

    async refresh() {
      await this.auth.refreshToken(this.sdk.network)
    }

    revoke() {
      return this.auth.revokeToken(this.sdk.network)
    }

    async downscope(scopes, { file, folder, sharedLink } = {}) {
      const resource = file ? `/2.0/files/${file}` : folder && `/2.0/folders/${folder}`
      const whole = resource && this.sdk.url + resource
      return (await this.auth.downscopeToken(scopes, whole, sharedLink, this.sdk.network)).accessToken
    }

    me() {
      return this.client.users.getUserMe()
    }

    async list(folder) {
      return (await this.client.folders.getFolderItems(folder, { queryParams: { limit: 1000 } })).entries
    }

    async idsByOffset(folder, limit) {
      const ids = []
      for (;;) {
        const queryParams = { limit, offset: ids.length }
        const page = await this.client.folders.getFolderItems(folder, { queryParams })
        ids.push(...page.entries.map((entry) => entry.id))
        if (ids.length >= page.totalCount) return ids
      }
    }

    async idsByMarker(folder, limit) {
      const ids = []
      let marker
      do {
        const queryParams = { limit, usemarker: true, marker }
        const page = await this.client.folders.getFolderItems(folder, { queryParams })
        ids.push(...page.entries.map((entry) => entry.id))
        marker = page.nextMarker
      } while (marker)
      return ids
    }

    async file(id) {
      const { name, size, sha1 } = await this.client.files.getFileById(id)
      return { id, name, size, sha1 }
    }

    async download(id) {
      return buffer(await this.client.downloads.downloadFile(id))
    }

    async upload(folder, name, content) {
      const attributes = { name, parent: { id: folder } }
      return (await this.client.uploads.uploadFile({ attributes, file: Readable.from(content) })).entries[0].id
    }

    rename(id, name) {
      return this.client.files.updateFileById(id, { requestBody: { name } })
    }

    delete(id) {
      return this.client.files.deleteFileById(id)
    }

    async search(query) {
      return (await this.client.search.searchForContent({ query })).entries.map((entry) => entry.id)
    }

    async share(id) {
      const link = { sharedLink: { access: 'open' } }
      const file = await this.client.sharedLinksFiles.addShareLinkToFile(id, link, { fields: 'shared_link' })
      return file.sharedLink.url
    }

    async sharedItem(url) {
      const headers = { boxapi: `shared_link=${url}` }
      return (await this.client.sharedLinksFiles.findFileForSharedLink({}, headers)).id
    }
  }

  return (url) => new Sdk(url)
}
