"""The cases of `cases.toml` for the two Python SDKs. What differs between them is behind `sdk` and its sessions."""

import hashlib
import time

from emulator import CCG_APP, JWT_APP, OAUTH_APP, REDIRECT_URI, Failed
from stage import Expected, case, refused, same

ROBIN = "robin@example.com"
NOT_FOUND = Expected("api", 404, "not_found")
INSUFFICIENT_SCOPE = Expected("api", 403, "insufficient_scope")
LOST = "fault: dropped after it was done"
EXP_WORDS = "Current date/time MUST be before the expiration date/time listed in the 'exp' claim"


def invalid_grant(words=None):
    return Expected("token", 400, "invalid_grant", words)


def code_for(box, sdk, **parameters):
    return box.code_from(sdk.authorize_url(REDIRECT_URI), **parameters)


def login(box, sdk, **parameters):
    return sdk.login(code_for(box, sdk, **parameters))


def item(session, *path):
    """The id of the item at that path."""
    folder = "0"
    for name in path:
        folder = {entry.name: entry.id for entry in session.list(folder)}[name]
    return folder


def bees(session):
    return item(session, "Garden", "Bees.txt")


def sha1(content):
    return hashlib.sha1(content).hexdigest()


def issued(box, kind):
    """How many tokens of that kind there ever were."""
    return [token["kind"] for token in box.tokens().values()].count(kind)


# Signing in


@case
def code_exchange(box, sdk):
    access, refresh = login(box, sdk).pair()
    tokens = box.tokens()
    same([tokens[access]["kind"], tokens[access]["state"]], ["access", "live"], "the access token")
    same([tokens[refresh]["kind"], tokens[refresh]["state"]], ["refresh", "live"], "the refresh token")


@case
def wrong_secret(box, sdk):
    code = code_for(box, sdk)
    impostor = sdk.with_secret("not-the-secret")
    expected = Expected("token", 400, "invalid_client", "The client credentials are invalid")
    refused(sdk, expected, impostor.login, code)


@case
def code_reused(box, sdk):
    code = code_for(box, sdk)
    sdk.login(code)
    words = "Auth code doesn't exist or is invalid for the client"
    refused(sdk, invalid_grant(words), sdk.login, code)


@case
def code_expired(box, sdk):
    code = code_for(box, sdk)
    box.advance(31)
    refused(sdk, invalid_grant("The authorization code has expired"), sdk.login, code)


# The API


@case
def users_me(box, sdk):
    me = login(box, sdk).me()
    robin = box.user("managed")
    same((me.id, me.name, me.login), (robin["id"], robin["name"], ROBIN), "the user")


@case
def list_root(box, sdk):
    entries = [(entry.type, entry.name) for entry in login(box, sdk).list("0")]
    same(("folder", "Garden") in entries and ("file", "Welcome.md") in entries, True, "what is in the root")
    kinds = [kind for kind, _ in entries]
    same(kinds, sorted(kinds, key=["folder", "file"].index), "the order")


@case
def file_info(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    file = session.file(file_id)
    same((file.id, file.name), (file_id, "Bees.txt"), "the file")
    same((len(session.download(file_id)), sha1(session.download(file_id))), (file.size, file.sha1), "size and hash")


@case
def pages_by_offset(box, sdk):
    session = login(box, sdk)
    folder = item(session, "Watch log")
    whole = [entry.id for entry in session.list(folder)]
    same(session.ids_by_offset(folder, 7), whole, "all pages of 7")
    if len(whole) <= 14:
        raise Failed("the folder is too small to show paging")


@case
def pages_by_marker(box, sdk):
    session = login(box, sdk)
    folder = item(session, "Watch log")
    whole = sorted(entry.id for entry in session.list(folder))
    same(sorted(session.ids_by_marker(folder, 7)), whole, "all pages of 7")


@case
def search(box, sdk):
    session = login(box, sdk)
    same(bees(session) in session.search("Bees"), True, "that the file is found by its name")


@case
def shared_item(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    same(session.shared_item(session.share(file_id)), file_id, "the item of the shared link")


@case
def download(box, sdk):
    session = login(box, sdk)
    file_id = item(session, "Lighthouse", "Foghorn.wav")
    same(sha1(session.download(file_id)), session.file(file_id).sha1, "the hash of what came")


@case
def upload(box, sdk):
    session = login(box, sdk)
    garden = item(session, "Garden")
    content = b"Thrift, sea kale, and a wall against the wind.\n"
    file_id = session.upload(garden, "Wishes.txt", content)
    same(item(session, "Garden", "Wishes.txt"), file_id, "the new file's file_id")
    same(session.download(file_id), content, "its content")
    same(session.file(file_id).sha1, sha1(content), "its hash")


@case
def upload_of_a_taken_name(box, sdk):
    session = login(box, sdk)
    garden = item(session, "Garden")
    refused(sdk, Expected("api", 409, "item_name_in_use"), session.upload, garden, "Bees.txt", b"Buzz.\n")


@case
def rename(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    session.rename(file_id, "Port and Starboard.txt")
    same(session.file(file_id).name, "Port and Starboard.txt", "the name")


@case
def delete(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    session.delete(file_id)
    same("Bees.txt" in [entry.name for entry in session.list(item(session, "Garden"))], False, "that it is there")


@case
def error_of_the_api(box, sdk):
    session = login(box, sdk)
    refusal = refused(sdk, NOT_FOUND, session.file, "999999999999")
    same(bool(refusal.request_id) and bool(refusal.words), True, "that there is a request file_id and a message")


# Refresh


@case
def refresh_on_401(box, sdk):
    session = login(box, sdk)
    before = session.pair()
    box.expire("access")
    same(session.me().login, ROBIN, "the user")
    same([value in before for value in session.pair()], [False, False], "what is left of the pair before")


@case
def refreshed_pair_is_stored(box, sdk):
    session = login(box, sdk)
    session.refresh()
    session.me()
    tokens = box.tokens()
    same([tokens[value]["state"] for value in session.pair()], ["live", "live"], "the stored pair")
    same(box.calls_of("/oauth2/token", "refresh_token"), [200], "the answers to its refreshes")
    same(sdk.resume(session.pair()).me().login, ROBIN, "whose pair is stored")


@case
def refresh_again_before_use(box, sdk):
    one = login(box, sdk)
    other = sdk.resume(one.pair())
    one.refresh()
    other.refresh()
    same(other.pair(), one.pair(), "the pair that the second refresh brings")
    same(box.calls_of("/oauth2/token", "refresh_token"), [200, 200], "the answers to the refreshes")


@case
def refresh_token_reused(box, sdk):
    box.settings(rotation="strict")
    one = login(box, sdk)
    other = sdk.resume(one.pair())
    one.refresh()
    refused(sdk, invalid_grant("Invalid refresh token"), other.refresh)


@case
def refresh_token_superseded(box, sdk):
    one = login(box, sdk)
    other = sdk.resume(one.pair())
    one.refresh()
    one.me()
    refused(sdk, invalid_grant("Refresh token has expired"), other.refresh)


@case
def refresh_token_expired(box, sdk):
    session = login(box, sdk)
    box.expire("refresh")
    refused(sdk, invalid_grant("Refresh token has expired"), session.refresh)


@case
def lost_refresh_answer(box, sdk):
    session = login(box, sdk)
    box.fault(path="/oauth2/token", grant_type="refresh_token", drop="after")
    session.refresh()
    same(session.me().login, ROBIN, "the user")
    same(issued(box, "refresh"), 2, "the number of refresh tokens ever issued")
    same(box.faults_met(), [LOST], "what went wrong")
    answers = box.calls_of("/oauth2/token", "refresh_token")
    same(answers, [200, 200], "the answers to its refreshes, the first of them lost")


# Narrowed tokens


@case
def downscope_to_a_file(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = session.downscope(["base_preview"], file=file_id)
    same(sdk.bearer(child).file(file_id).name, "Bees.txt", "the file's name")
    token = box.tokens()[child]
    same((token["kind"], token["scopes"]), ("child", ["base_preview"]), "the new token")


@case
def downscope_hides_other_files(box, sdk):
    session = login(box, sdk)
    child = sdk.bearer(session.downscope(["base_preview"], file=bees(session)))
    other = item(session, "Garden", "Seeds.csv")
    refused(sdk, NOT_FOUND, child.file, other)


@case
def downscope_to_a_folder(box, sdk):
    session = login(box, sdk)
    child = sdk.bearer(session.downscope(["base_explorer", "item_preview"], folder=item(session, "Garden")))
    same(child.file(bees(session)).name, "Bees.txt", "the name of a file below")
    refused(sdk, NOT_FOUND, child.file, item(session, "Welcome.md"))


@case
def downscope_may_not_download(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = sdk.bearer(session.downscope(["base_preview"], file=file_id))
    refused(sdk, INSUFFICIENT_SCOPE, child.download, file_id)


@case
def downscope_may_download(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = sdk.bearer(session.downscope(["base_preview", "item_download"], file=file_id))
    same(sha1(child.download(file_id)), session.file(file_id).sha1, "the hash of what came")


@case
def downscope_may_not_rename(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = sdk.bearer(session.downscope(["base_preview"], file=file_id))
    refused(sdk, INSUFFICIENT_SCOPE, child.rename, file_id, "Wasps.txt")


@case
def downscope_may_not_delete(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = sdk.bearer(session.downscope(["item_rename", "item_preview"], file=file_id))
    child.rename(file_id, "Wasps.txt")
    refused(sdk, INSUFFICIENT_SCOPE, child.delete, file_id)


@case
def downscope_without_resource(box, sdk):
    session = login(box, sdk)
    child = sdk.bearer(session.downscope(["root_readonly"]))
    garden = item(child, "Garden")
    refused(sdk, INSUFFICIENT_SCOPE, child.upload, garden, "Wishes.txt", b"Thrift.\n")


@case
def downscope_of_what_is_not_held(box, sdk):
    session = login(box, sdk, scope="root_readonly")
    refused(sdk, Expected("exchange", 401, "invalid_scope"), session.downscope, ["root_readwrite"])


@case
def downscope_to_an_unknown_file(box, sdk):
    session = login(box, sdk)
    expected = Expected("exchange", 400, "invalid_resource", "The target resource is invalid.")
    refused(sdk, expected, session.downscope, ["base_preview"], "999999999999")


@case
def downscope_of_a_bare_token(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    access, _ = session.pair()
    child = sdk.bearer(access).downscope(["base_preview"], file=file_id)
    same(sdk.bearer(child).file(file_id).name, "Bees.txt", "the file's name")


@case
def downscope_to_a_shared_link(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = sdk.bearer(session.downscope(["base_preview"], shared_link=session.share(file_id)))
    same(child.file(file_id).name, "Bees.txt", "the file's name")
    refused(sdk, NOT_FOUND, child.file, item(session, "Welcome.md"))


# Revoking


@case
def revoke(box, sdk):
    session = login(box, sdk)
    pair = session.pair()
    session.revoke()
    refused(sdk, sdk.ENDED_PAIR, sdk.resume(pair).me)
    same(box.refresh_refused(pair[1]), (400, "invalid_grant"), "what the refresh token brings")


@case
def revoke_of_a_narrowed_token(box, sdk):
    session = login(box, sdk)
    file_id = bees(session)
    child = session.downscope(["base_preview"], file=file_id)
    sdk.revoke(child)
    refused(sdk, sdk.ENDED_BEARER, sdk.bearer(child).file, file_id)
    same(session.file(file_id).name, "Bees.txt", "what the parent still reads")


@case
def unknown_token(box, sdk):
    refused(sdk, sdk.ENDED_BEARER, sdk.bearer("no-token-of-this-box").me)


@case
def developer_token(box, sdk):
    token = box.developer_token(OAUTH_APP[0], box.user("managed")["id"])
    same(sdk.bearer(token).me().login, ROBIN, "the user")


# A Box that stumbles


@case
def retry_on_429(box, sdk):
    session = login(box, sdk)
    box.fault(path="/2.0/users/me", status=429, retry_after=1)
    same(session.me().login, ROBIN, "the user")
    same(box.calls_of("/2.0/users/me"), [429, 200], "the answers")


@case
def retry_after_is_obeyed(box, sdk):
    session = login(box, sdk)
    box.fault(path="/2.0/users/me", status=429, retry_after=0, count=4)
    start = time.monotonic()
    session.me()
    # By itself each SDK takes seven seconds at least before the fifth try.
    same(time.monotonic() - start < 5, True, "that it waits as long as it is told")
    same(box.calls_of("/2.0/users/me"), [429, 429, 429, 429, 200], "the answers")


@case
def retry_on_503(box, sdk):
    session = login(box, sdk)
    box.fault(path="/2.0/users/me", status=503)
    same(session.me().login, ROBIN, "the user")
    same(box.calls_of("/2.0/users/me"), [503, 200], "the answers")


@case
def retry_of_a_refresh_on_429(box, sdk):
    session = login(box, sdk)
    box.fault(path="/oauth2/token", grant_type="refresh_token", status=429, retry_after=0)
    session.refresh()
    same(session.me().login, ROBIN, "the user")
    same(box.calls_of("/oauth2/token", "refresh_token"), [429, 200], "the answers to its refreshes")


# Client credentials


@case
def ccg_enterprise(box, sdk):
    me = sdk.ccg(enterprise=box.enterprise_id()).me()
    same(me.id, box.user("service_account", CCG_APP[0])["id"], "the user")


@case
def ccg_user(box, sdk):
    same(sdk.ccg(user=box.user("managed")["id"]).me().login, ROBIN, "the user")


@case
def ccg_unknown_user(box, sdk):
    session = sdk.ccg(user="999999999")
    refused(sdk, invalid_grant("Grant credentials are invalid"), session.me)


@case
def ccg_token_renewed(box, sdk):
    session = sdk.ccg(enterprise=box.enterprise_id())
    first = session.me().id
    box.expire("access")
    same(session.me().id, first, "the user")
    same(box.calls_of("/2.0/users/me"), [200, 401, 200], "the answers")


@case
def app_not_authorized(box, sdk):
    box.change_app(CCG_APP[0], authorized=False)
    session = sdk.ccg(enterprise=box.enterprise_id())
    words = "This app is not authorized by the enterprise admin"
    refused(sdk, Expected("token", 400, "unauthorized_client", words), session.me)


# JWT


@case
def jwt_service_account(box, sdk):
    me = sdk.jwt(box.settings_file()).me()
    same(me.id, box.user("service_account", JWT_APP[0])["id"], "the user")


@case
def jwt_app_user(box, sdk):
    user = box.user("app_user", JWT_APP[0])
    same(sdk.jwt(box.settings_file(), user=user["id"]).me().id, user["id"], "the user")


@case
def jwt_rs512(box, sdk):
    me = sdk.jwt(box.settings_file(), algorithm="RS512").me()
    same(me.id, box.user("service_account", JWT_APP[0])["id"], "the user")


@case
def jwt_token_renewed(box, sdk):
    session = sdk.jwt(box.settings_file())
    first = session.me().id
    box.expire("access")
    same(session.me().id, first, "the user")
    same(box.calls_of("/2.0/users/me"), [200, 401, 200], "the answers")


@case
def jwt_unknown_user(box, sdk):
    session = sdk.jwt(box.settings_file(), user="999999999")
    words = "Please check the 'sub' claim. The 'sub' specified is invalid."
    refused(sdk, invalid_grant(words), session.me)


@case
def jwt_key_removed(box, sdk):
    session = sdk.jwt(box.settings_file())
    box.forget_keys()
    refused(sdk, invalid_grant(), session.me)


@case
def jwt_too_far_ahead(box, sdk):
    session = sdk.jwt(box.settings_file(), retries=False)
    box.settings(clock_offset_seconds=-120)
    refused(sdk, invalid_grant(EXP_WORDS), session.me)


@case
def jwt_too_late(box, sdk):
    session = sdk.jwt(box.settings_file(), retries=False)
    box.settings(clock_offset_seconds=120)
    refused(sdk, invalid_grant(EXP_WORDS), session.me)


@case
def jwt_fast_clock_healed(box, sdk):
    clock_healed(box, sdk, -120)


@case
def jwt_slow_clock_healed(box, sdk):
    clock_healed(box, sdk, 120)


def clock_healed(box, sdk, offset_seconds):
    session = sdk.jwt(box.settings_file())
    box.settings(clock_offset_seconds=offset_seconds)
    same(session.me().id, box.user("service_account", JWT_APP[0])["id"], "the user")
    same(box.calls_of("/oauth2/token"), [400, 200], "the answers to its assertions")


@case
def jwt_throttled(box, sdk):
    session = sdk.jwt(box.settings_file())
    box.fault(path="/oauth2/token", status=429, retry_after=0)
    same(session.me().id, box.user("service_account", JWT_APP[0])["id"], "the user")
    same(box.calls_of("/oauth2/token"), [429, 200], "the answers to its assertions")
    same(issued(box, "access"), 1, "the number of access tokens ever issued")


@case
def jwt_brought_twice(box, sdk):
    session = sdk.jwt(box.settings_file())
    box.fault(path="/oauth2/token", status=429, retry_after=0, processed=True)
    words = "Please check the 'jti' claim. A unique 'jti' value is required."
    refused(sdk, invalid_grant(words), session.me)
    same(box.calls_of("/oauth2/token"), [429, 400], "the answers to its assertion")


@case
def jwt_jti_healed(box, sdk):
    session = sdk.jwt(box.settings_file())
    box.fault(path="/oauth2/token", drop="after")
    same(session.me().id, box.user("service_account", JWT_APP[0])["id"], "the user")
    same(box.faults_met(), [LOST], "what went wrong")
    same(box.calls_of("/oauth2/token"), [200, 400, 200], "the answers to its assertions, the first of them lost")


@case
def jwt_signed_anew(box, sdk):
    session = sdk.jwt(box.settings_file())
    box.fault(path="/oauth2/token", status=429, retry_after=0, processed=True)
    same(session.me().id, box.user("service_account", JWT_APP[0])["id"], "the user")
    same(box.calls_of("/oauth2/token"), [429, 200], "the answers to its assertions")
    same(issued(box, "access"), 2, "the number of access tokens ever issued")
