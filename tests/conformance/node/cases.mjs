// The cases of `cases.toml` for the three Node SDKs. What differs between them is behind `sdk` and its sessions.

import { createHash } from 'node:crypto'

import { CCG_APP, Failed, JWT_APP, OAUTH_APP, REDIRECT_URI } from './emulator.mjs'
import { refused, same } from './stage.mjs'

const ROBIN = 'robin@example.com'
const NOT_FOUND = { by: 'api', status: 404, code: 'not_found' }
const INSUFFICIENT_SCOPE = { by: 'api', status: 403, code: 'insufficient_scope' }
const invalidGrant = (words) => ({ by: 'token', status: 400, code: 'invalid_grant', words })
const LOST = 'fault: dropped after it was done'
const EXP_WORDS = "Current date/time MUST be before the expiration date/time listed in the 'exp' claim"

function codeFor(box, sdk, parameters = {}) {
  return box.codeFrom(sdk.authorizeUrl(REDIRECT_URI), parameters)
}

async function login(box, sdk, parameters) {
  return sdk.login(await codeFor(box, sdk, parameters))
}

// The id of the item at that path.
async function item(session, ...path) {
  let folder = '0'
  for (const name of path) {
    folder = (await session.list(folder)).find((entry) => entry.name === name).id
  }
  return folder
}

function bees(session) {
  return item(session, 'Garden', 'Bees.txt')
}

function sha1(content) {
  return createHash('sha1').update(content).digest('hex')
}

// How many tokens of that kind there ever were.
async function issued(box, kind) {
  return [...(await box.tokens()).values()].filter((token) => token.kind === kind).length
}

async function serviceAccount(box, { clientId }) {
  return (await box.user('service_account', clientId)).id
}

const signingIn = {
  async code_exchange(box, sdk) {
    const [access, refresh] = await (await login(box, sdk)).pair()
    const tokens = await box.tokens()
    same([tokens.get(access)?.kind, tokens.get(access)?.state], ['access', 'live'], 'the access token')
    same([tokens.get(refresh)?.kind, tokens.get(refresh)?.state], ['refresh', 'live'], 'the refresh token')
  },

  async wrong_secret(box, sdk) {
    const code = await codeFor(box, sdk)
    const refusal = { by: 'token', status: 400, code: 'invalid_client', words: 'The client credentials are invalid' }
    await refused(sdk, refusal, () => sdk.withSecret('not-the-secret').login(code))
  },

  async code_reused(box, sdk) {
    const code = await codeFor(box, sdk)
    await sdk.login(code)
    const refusal = invalidGrant("Auth code doesn't exist or is invalid for the client")
    await refused(sdk, refusal, () => sdk.login(code))
  },

  async code_expired(box, sdk) {
    const code = await codeFor(box, sdk)
    await box.advance(31)
    await refused(sdk, invalidGrant('The authorization code has expired'), () => sdk.login(code))
  },
}

const theApi = {
  async users_me(box, sdk) {
    const me = await (await login(box, sdk)).me()
    const robin = await box.user('managed')
    same([me.id, me.name, me.login], [robin.id, robin.name, ROBIN], 'the user')
  },

  async list_root(box, sdk) {
    const entries = await (await login(box, sdk)).list('0')
    const names = entries.map((entry) => `${entry.type} ${entry.name}`)
    same(names.includes('folder Garden') && names.includes('file Welcome.md'), true, 'what is in the root')
    const kinds = entries.map((entry) => entry.type)
    same(kinds.lastIndexOf('folder') < kinds.indexOf('file'), true, 'that folders come first')
  },

  async file_info(box, sdk) {
    const session = await login(box, sdk)
    const id = await bees(session)
    const file = await session.file(id)
    same([file.id, file.name], [id, 'Bees.txt'], 'the file')
    const content = await session.download(id)
    same([content.length, sha1(content)], [file.size, file.sha1], 'size and hash')
  },

  async pages_by_offset(box, sdk) {
    const session = await login(box, sdk)
    const folder = await item(session, 'Watch log')
    const whole = (await session.list(folder)).map((entry) => entry.id)
    same(await session.idsByOffset(folder, 7), whole, 'all pages of 7')
    if (whole.length <= 14) throw new Failed('the folder is too small to show paging')
  },

  async pages_by_marker(box, sdk) {
    const session = await login(box, sdk)
    const folder = await item(session, 'Watch log')
    const whole = (await session.list(folder)).map((entry) => entry.id)
    same((await session.idsByMarker(folder, 7)).sort(), whole.sort(), 'all pages of 7')
  },

  async search(box, sdk) {
    const session = await login(box, sdk)
    const id = await bees(session)
    same((await session.search('Bees')).includes(id), true, 'that the file is found by its name')
  },

  async shared_item(box, sdk) {
    const session = await login(box, sdk)
    const id = await bees(session)
    same(await session.sharedItem(await session.share(id)), id, 'the item of the shared link')
  },

  async download(box, sdk) {
    const session = await login(box, sdk)
    const id = await item(session, 'Lighthouse', 'Foghorn.wav')
    same(sha1(await session.download(id)), (await session.file(id)).sha1, 'the hash of what came')
  },

  async upload(box, sdk) {
    const session = await login(box, sdk)
    const garden = await item(session, 'Garden')
    const content = Buffer.from('Thrift, sea kale, and a wall against the wind.\n')
    const id = await session.upload(garden, 'Wishes.txt', content)
    same(await item(session, 'Garden', 'Wishes.txt'), id, "the new file's id")
    same((await session.download(id)).toString(), content.toString(), 'its content')
    same((await session.file(id)).sha1, sha1(content), 'its hash')
  },

  async upload_of_a_taken_name(box, sdk) {
    const session = await login(box, sdk)
    const garden = await item(session, 'Garden')
    const refusal = { by: 'api', status: 409, code: 'item_name_in_use' }
    await refused(sdk, refusal, () => session.upload(garden, 'Bees.txt', Buffer.from('Buzz.\n')))
  },

  async rename(box, sdk) {
    const session = await login(box, sdk)
    const id = await bees(session)
    await session.rename(id, 'Port and Starboard.txt')
    same((await session.file(id)).name, 'Port and Starboard.txt', 'the name')
  },

  async delete(box, sdk) {
    const session = await login(box, sdk)
    await session.delete(await bees(session))
    const left = await session.list(await item(session, 'Garden'))
    same(left.some((entry) => entry.name === 'Bees.txt'), false, 'that it is there')
  },

  async error_of_the_api(box, sdk) {
    const session = await login(box, sdk)
    const refusal = await refused(sdk, NOT_FOUND, () => session.file('999999999999'))
    same(Boolean(refusal.requestId && refusal.words), true, 'that there is a request id and a message')
  },
}

const refresh = {
  async refresh_on_401(box, sdk) {
    const session = await login(box, sdk)
    const before = await session.pair()
    await box.expire('access')
    same((await session.me()).login, ROBIN, 'the user')
    const after = await session.pair()
    same(after.map((value) => before.includes(value)), [false, false], 'what is left of the pair before')
  },

  async refresh_before_the_end(box, sdk) {
    await box.settings({ access_token_seconds: 120 })
    const session = await login(box, sdk)
    const before = await session.pair()
    await box.settings({ access_token_seconds: null })
    same((await session.me()).login, ROBIN, 'the user')
    same(await box.callsOf('/2.0/users/me'), [200], 'the answers')
    const after = await session.pair()
    same(after.map((value) => before.includes(value)), [false, false], 'what is left of the pair before')
  },

  async empty_401_ends_the_session(box, sdk) {
    const session = await login(box, sdk)
    await box.expire('access')
    await refused(sdk, sdk.endedPair, () => session.me())
    same(session.store.tokens, undefined, 'what is left in the store')
  },

  async refreshed_pair_is_stored(box, sdk) {
    const session = await login(box, sdk)
    await session.refresh()
    await session.me()
    const tokens = await box.tokens()
    const pair = await session.pair()
    same(pair.map((value) => tokens.get(value)?.state), ['live', 'live'], 'the stored pair')
    same(await box.callsOf('/oauth2/token', 'refresh_token'), [200], 'the answers to its refreshes')
    same((await (await sdk.resume(pair)).me()).login, ROBIN, 'whose pair is stored')
  },

  async refresh_again_before_use(box, sdk) {
    const one = await login(box, sdk)
    const other = await sdk.resume(await one.pair())
    await one.refresh()
    await other.refresh()
    same(await other.pair(), await one.pair(), 'the pair that the second refresh brings')
    same(await box.callsOf('/oauth2/token', 'refresh_token'), [200, 200], 'the answers to the refreshes')
  },

  async refresh_token_reused(box, sdk) {
    await box.settings({ rotation: 'strict' })
    const one = await login(box, sdk)
    const other = await sdk.resume(await one.pair())
    await one.refresh()
    await refused(sdk, invalidGrant('Invalid refresh token'), () => other.refresh())
  },

  async refresh_token_superseded(box, sdk) {
    const one = await login(box, sdk)
    const other = await sdk.resume(await one.pair())
    await one.refresh()
    await one.me()
    await refused(sdk, invalidGrant('Refresh token has expired'), () => other.refresh())
  },

  async refresh_token_expired(box, sdk) {
    const session = await login(box, sdk)
    await box.expire('refresh')
    await refused(sdk, invalidGrant('Refresh token has expired'), () => session.refresh())
  },

  async lost_refresh_answer(box, sdk) {
    const session = await login(box, sdk)
    await box.fault({ path: '/oauth2/token', grant_type: 'refresh_token', drop: 'after' })
    await session.refresh()
    same((await session.me()).login, ROBIN, 'the user')
    same(await issued(box, 'refresh'), 2, 'the number of refresh tokens ever issued')
    same(await box.faultsMet(), [LOST], 'what went wrong')
    const answers = await box.callsOf('/oauth2/token', 'refresh_token')
    same(answers, [200, 200], 'the answers to its refreshes, the first of them lost')
  },
}

const narrowedTokens = {
  async downscope_to_a_file(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const child = await session.downscope(['base_preview'], { file })
    same((await sdk.bearer(child).file(file)).name, 'Bees.txt', "the file's name")
    const token = (await box.tokens()).get(child)
    same([token.kind, token.scopes], ['child', ['base_preview']], 'the new token')
  },

  async downscope_hides_other_files(box, sdk) {
    const session = await login(box, sdk)
    const child = sdk.bearer(await session.downscope(['base_preview'], { file: await bees(session) }))
    const other = await item(session, 'Garden', 'Seeds.csv')
    await refused(sdk, NOT_FOUND, () => child.file(other))
  },

  async downscope_to_a_folder(box, sdk) {
    const session = await login(box, sdk)
    const folder = await item(session, 'Garden')
    const child = sdk.bearer(await session.downscope(['base_explorer', 'item_preview'], { folder }))
    same((await child.file(await bees(session))).name, 'Bees.txt', 'the name of a file below')
    const welcome = await item(session, 'Welcome.md')
    await refused(sdk, NOT_FOUND, () => child.file(welcome))
  },

  async downscope_may_not_download(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const child = sdk.bearer(await session.downscope(['base_preview'], { file }))
    await refused(sdk, INSUFFICIENT_SCOPE, () => child.download(file))
  },

  async downscope_may_download(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const child = sdk.bearer(await session.downscope(['base_preview', 'item_download'], { file }))
    same(sha1(await child.download(file)), (await session.file(file)).sha1, 'the hash of what came')
  },

  async downscope_may_not_rename(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const child = sdk.bearer(await session.downscope(['base_preview'], { file }))
    await refused(sdk, INSUFFICIENT_SCOPE, () => child.rename(file, 'Wasps.txt'))
  },

  async downscope_may_not_delete(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const child = sdk.bearer(await session.downscope(['item_rename', 'item_preview'], { file }))
    await child.rename(file, 'Wasps.txt')
    await refused(sdk, INSUFFICIENT_SCOPE, () => child.delete(file))
  },

  async downscope_without_resource(box, sdk) {
    const session = await login(box, sdk)
    const child = sdk.bearer(await session.downscope(['root_readonly']))
    const garden = await item(child, 'Garden')
    await refused(sdk, INSUFFICIENT_SCOPE, () => child.upload(garden, 'Wishes.txt', Buffer.from('Thrift.\n')))
  },

  async downscope_of_what_is_not_held(box, sdk) {
    const session = await login(box, sdk, { scope: 'root_readonly' })
    const refusal = { by: 'exchange', status: 401, code: 'invalid_scope' }
    await refused(sdk, refusal, () => session.downscope(['root_readwrite']))
  },

  async downscope_to_an_unknown_file(box, sdk) {
    const session = await login(box, sdk)
    const words = 'The target resource is invalid.'
    const refusal = { by: 'exchange', status: 400, code: 'invalid_resource', words }
    await refused(sdk, refusal, () => session.downscope(['base_preview'], { file: '999999999999' }))
  },

  async downscope_of_a_bare_token(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const [access] = await session.pair()
    const child = await sdk.bearer(access).downscope(['base_preview'], { file })
    same((await sdk.bearer(child).file(file)).name, 'Bees.txt', "the file's name")
  },

  async downscope_to_a_shared_link(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const sharedLink = await session.share(file)
    const child = sdk.bearer(await session.downscope(['base_preview'], { sharedLink }))
    same((await child.file(file)).name, 'Bees.txt', "the file's name")
    const welcome = await item(session, 'Welcome.md')
    await refused(sdk, NOT_FOUND, () => child.file(welcome))
  },

  async downscope_for_an_annotator(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const actor = { id: 'guest-7', name: 'A guest' }
    const child = await session.downscope(['base_preview', 'annotation_edit'], { file, actor })
    same((await sdk.bearer(child).file(file)).name, 'Bees.txt', "the file's name")
  },
}

const revoking = {
  async revoke(box, sdk) {
    const session = await login(box, sdk)
    const pair = await session.pair()
    await session.revoke()
    const later = await sdk.resume(pair)
    await refused(sdk, sdk.endedPair, () => later.me())
    same(await box.refreshRefused(pair[1]), [400, 'invalid_grant'], 'what the refresh token brings')
  },

  async revoke_of_a_narrowed_token(box, sdk) {
    const session = await login(box, sdk)
    const file = await bees(session)
    const child = await session.downscope(['base_preview'], { file })
    await sdk.revoke(child)
    await refused(sdk, sdk.endedBearer, () => sdk.bearer(child).file(file))
    same((await session.file(file)).name, 'Bees.txt', 'what the parent still reads')
  },

  async unknown_token(box, sdk) {
    await refused(sdk, sdk.endedBearer, () => sdk.bearer('no-token-of-this-box').me())
  },

  async developer_token(box, sdk) {
    const token = await box.developerToken(OAUTH_APP.clientId, (await box.user('managed')).id)
    same((await sdk.bearer(token).me()).login, ROBIN, 'the user')
  },
}

const aBoxThatStumbles = {
  async retry_on_429(box, sdk) {
    const session = await login(box, sdk)
    await box.fault({ path: '/2.0/users/me', status: 429, retry_after: 1 })
    same((await session.me()).login, ROBIN, 'the user')
    same(await box.callsOf('/2.0/users/me'), [429, 200], 'the answers')
  },

  async retry_on_503(box, sdk) {
    const session = await login(box, sdk)
    await box.fault({ path: '/2.0/users/me', status: 503 })
    same((await session.me()).login, ROBIN, 'the user')
    same(await box.callsOf('/2.0/users/me'), [503, 200], 'the answers')
  },

  async retry_of_a_refresh_on_429(box, sdk) {
    const session = await login(box, sdk)
    await box.fault({ path: '/oauth2/token', grant_type: 'refresh_token', status: 429, retry_after: 0 })
    await session.refresh()
    same((await session.me()).login, ROBIN, 'the user')
    same(await box.callsOf('/oauth2/token', 'refresh_token'), [429, 200], 'the answers to its refreshes')
  },
}

const clientCredentials = {
  async ccg_enterprise(box, sdk) {
    const me = await sdk.ccg({ enterprise: await box.enterpriseId() }).me()
    same(me.id, await serviceAccount(box, CCG_APP), 'the user')
  },

  async ccg_user(box, sdk) {
    const robin = await box.user('managed')
    same((await sdk.ccg({ user: robin.id }).me()).login, ROBIN, 'the user')
  },

  async ccg_unknown_user(box, sdk) {
    const session = sdk.ccg({ user: '999999999' })
    await refused(sdk, invalidGrant('Grant credentials are invalid'), () => session.me())
  },

  async ccg_token_renewed(box, sdk) {
    const session = sdk.ccg({ enterprise: await box.enterpriseId() })
    const first = await session.me()
    await box.expire('access')
    same((await session.me()).id, first.id, 'the user')
    same(await box.callsOf('/2.0/users/me'), [200, 401, 200], 'the answers')
  },

  async app_not_authorized(box, sdk) {
    await box.changeApp(CCG_APP.clientId, { authorized: false })
    const session = sdk.ccg({ enterprise: await box.enterpriseId() })
    const words = 'This app is not authorized by the enterprise admin'
    await refused(sdk, { by: 'token', status: 400, code: 'unauthorized_client', words }, () => session.me())
  },
}

async function clockHealed(box, sdk, offsetSeconds) {
  const session = sdk.jwt(await box.settingsFile())
  await box.settings({ clock_offset_seconds: offsetSeconds })
  same((await session.me()).id, await serviceAccount(box, JWT_APP), 'the user')
  same(await box.callsOf('/oauth2/token'), [400, 200], 'the answers to its assertions')
}

const jwt = {
  async jwt_service_account(box, sdk) {
    const me = await sdk.jwt(await box.settingsFile()).me()
    same(me.id, await serviceAccount(box, JWT_APP), 'the user')
  },

  async jwt_app_user(box, sdk) {
    const user = await box.user('app_user', JWT_APP.clientId)
    const me = await sdk.jwt(await box.settingsFile(), { user: user.id }).me()
    same(me.id, user.id, 'the user')
  },

  async jwt_rs512(box, sdk) {
    const me = await sdk.jwt(await box.settingsFile(), { algorithm: 'RS512' }).me()
    same(me.id, await serviceAccount(box, JWT_APP), 'the user')
  },

  async jwt_token_renewed(box, sdk) {
    const session = sdk.jwt(await box.settingsFile())
    const first = await session.me()
    await box.expire('access')
    same((await session.me()).id, first.id, 'the user')
    same(await box.callsOf('/2.0/users/me'), [200, 401, 200], 'the answers')
  },

  async jwt_unknown_user(box, sdk) {
    const session = sdk.jwt(await box.settingsFile(), { user: '999999999' })
    const words = "Please check the 'sub' claim. The 'sub' specified is invalid."
    await refused(sdk, invalidGrant(words), () => session.me())
  },

  async jwt_key_removed(box, sdk) {
    const session = sdk.jwt(await box.settingsFile())
    await box.forgetKeys()
    await refused(sdk, invalidGrant(), () => session.me())
  },

  async jwt_too_far_ahead(box, sdk) {
    const session = sdk.jwt(await box.settingsFile(), { retries: false })
    await box.settings({ clock_offset_seconds: -120 })
    await refused(sdk, invalidGrant(EXP_WORDS), () => session.me())
  },

  async jwt_too_late(box, sdk) {
    const session = sdk.jwt(await box.settingsFile(), { retries: false })
    await box.settings({ clock_offset_seconds: 120 })
    await refused(sdk, invalidGrant(EXP_WORDS), () => session.me())
  },

  async jwt_fast_clock_healed(box, sdk) {
    await clockHealed(box, sdk, -120)
  },

  async jwt_slow_clock_healed(box, sdk) {
    await clockHealed(box, sdk, 120)
  },

  async jwt_throttled(box, sdk) {
    const session = sdk.jwt(await box.settingsFile())
    await box.fault({ path: '/oauth2/token', status: 429, retry_after: 0 })
    same((await session.me()).id, await serviceAccount(box, JWT_APP), 'the user')
    same(await box.callsOf('/oauth2/token'), [429, 200], 'the answers to its assertions')
    same(await issued(box, 'access'), 1, 'the number of access tokens ever issued')
  },

  async jwt_brought_twice(box, sdk) {
    const session = sdk.jwt(await box.settingsFile())
    await box.fault({ path: '/oauth2/token', status: 429, retry_after: 0, processed: true })
    const words = "Please check the 'jti' claim. A unique 'jti' value is required."
    await refused(sdk, invalidGrant(words), () => session.me())
    same(await box.callsOf('/oauth2/token'), [429, 400], 'the answers to its assertion')
  },

  async jwt_signed_anew(box, sdk) {
    const session = sdk.jwt(await box.settingsFile())
    await box.fault({ path: '/oauth2/token', status: 429, retry_after: 0, processed: true })
    same((await session.me()).id, await serviceAccount(box, JWT_APP), 'the user')
    same(await box.callsOf('/oauth2/token'), [429, 200], 'the answers to its assertions')
    same(await issued(box, 'access'), 2, 'the number of access tokens ever issued')
  },
}

export const cases = {
  ...signingIn,
  ...theApi,
  ...refresh,
  ...narrowedTokens,
  ...revoking,
  ...aBoxThatStumbles,
  ...clientCredentials,
  ...jwt,
}
