"""boxsdk 10 (its module is `box_sdk_gen`), as the cases use it."""

import io
from dataclasses import dataclass

from box_sdk_gen import (
    AccessToken,
    AddShareLinkToFileSharedLink,
    AddShareLinkToFileSharedLinkAccessField,
    BaseUrls,
    BoxAPIError,
    BoxCCGAuth,
    BoxClient,
    BoxDeveloperTokenAuth,
    BoxJWTAuth,
    BoxOAuth,
    BoxSDKError,
    CCGConfig,
    DeveloperTokenConfig,
    GetAuthorizeUrlOptions,
    JwtAlgorithm,
    JWTConfig,
    NetworkSession,
    OAuthConfig,
    UploadFileAttributes,
    UploadFileAttributesParentField,
)

import cases  # noqa: F401, the cases enter themselves
from emulator import CCG_APP, OAUTH_APP
from stage import Expected, Refusal, main


@dataclass
class Entry:
    type: str
    id: str
    name: str


@dataclass
class File:
    id: str
    name: str
    size: int
    sha1: str


class Sdk:
    errors = {"token": BoxAPIError, "exchange": BoxAPIError, "api": BoxAPIError, "bearer": BoxSDKError}
    # A 401 makes it refresh, and the refresh token ended with the pair.
    ENDED_PAIR = Expected("token", 400, "invalid_grant", "Invalid refresh token")
    # A 401 makes it refresh, and it says itself that there is nothing to refresh with.
    ENDED_BEARER = Expected("bearer", None, None, "Developer token has expired. Please provide a new one.")

    def __init__(self, url, secret=OAUTH_APP[1]):
        self.url = url
        self.secret = secret
        urls = BaseUrls(base_url=url, upload_url=f"{url}/upload", oauth_2_url=f"{url}/api/oauth2")
        network = NetworkSession(base_urls=urls)
        self.network = network

    def with_secret(self, secret):
        return Sdk(self.url, secret)

    def authorize_url(self, redirect_uri):
        options = GetAuthorizeUrlOptions(redirect_uri=redirect_uri, state="a state of ours")
        return self._oauth().get_authorize_url(options=options)

    def login(self, code):
        auth = self._oauth()
        auth.get_tokens_authorization_code_grant(code, network_session=self.network)
        return Session(self, auth)

    def resume(self, pair):
        auth = self._oauth()
        auth.token_storage.store(AccessToken(access_token=pair[0], refresh_token=pair[1]))
        return Session(self, auth)

    def bearer(self, token):
        return Session(self, BoxDeveloperTokenAuth(token))

    def revoke(self, token):
        config = DeveloperTokenConfig(client_id=OAUTH_APP[0], client_secret=self.secret)
        BoxDeveloperTokenAuth(token, config=config).revoke_token(network_session=self.network)

    def ccg(self, enterprise=None, user=None):
        return Session(self, BoxCCGAuth(CCGConfig(*CCG_APP, enterprise_id=enterprise, user_id=user)))

    def jwt(self, settings_file, user=None, algorithm="RS256", retries=True):
        config = JWTConfig.from_config_file(settings_file)
        config.algorithm = JwtAlgorithm(algorithm)
        auth = BoxJWTAuth(config)
        return Session(self, auth if user is None else auth.with_user_subject(user))

    def refusal(self, error):
        if not isinstance(error, BoxAPIError):
            return Refusal(None, None, error.message)
        answer = error.response_info
        code = answer.code or answer.body.get("error")
        words = answer.body.get("message") or answer.body.get("error_description")
        return Refusal(answer.status_code, code, words, answer.request_id)

    def _oauth(self):
        return BoxOAuth(OAuthConfig(OAUTH_APP[0], self.secret))


class Session:
    def __init__(self, sdk, auth):
        self._sdk = sdk
        self._auth = auth
        self._client = BoxClient(auth=auth, network_session=sdk.network)

    def pair(self):
        token = self._auth.token_storage.get()
        return token.access_token, token.refresh_token

    def refresh(self):
        self._auth.refresh_token(network_session=self._sdk.network)

    def revoke(self):
        self._auth.revoke_token(network_session=self._sdk.network)

    def downscope(self, scopes, file=None, folder=None, shared_link=None):
        resource = f"{self._sdk.url}/2.0/files/{file}" if file else None
        resource = f"{self._sdk.url}/2.0/folders/{folder}" if folder else resource
        child = self._auth.downscope_token(
            scopes, resource=resource, shared_link=shared_link, network_session=self._sdk.network
        )
        return child.access_token

    def me(self):
        return self._client.users.get_user_me()

    def list(self, folder):
        return self._entries(self._client.folders.get_folder_items(folder, limit=1000))

    def ids_by_offset(self, folder, limit):
        ids = []
        while True:
            page = self._client.folders.get_folder_items(folder, limit=limit, offset=len(ids))
            ids += [entry.id for entry in page.entries]
            if len(ids) >= page.total_count:
                return ids

    def ids_by_marker(self, folder, limit):
        ids, marker = [], None
        while True:
            page = self._client.folders.get_folder_items(folder, limit=limit, usemarker=True, marker=marker)
            ids += [entry.id for entry in page.entries]
            marker = page.next_marker
            if not marker:
                return ids

    def file(self, file_id):
        file = self._client.files.get_file_by_id(file_id)
        return File(file.id, file.name, file.size, file.sha_1)

    def download(self, file_id):
        return self._client.downloads.download_file(file_id).read()

    def upload(self, folder, name, content):
        attributes = UploadFileAttributes(name, UploadFileAttributesParentField(folder))
        return self._client.uploads.upload_file(attributes, io.BytesIO(content)).entries[0].id

    def rename(self, file_id, name):
        self._client.files.update_file_by_id(file_id, name=name)

    def delete(self, file_id):
        self._client.files.delete_file_by_id(file_id)

    def search(self, query):
        return [entry.id for entry in self._client.search.search_for_content(query=query).entries]

    def share(self, file_id):
        link = AddShareLinkToFileSharedLink(access=AddShareLinkToFileSharedLinkAccessField.OPEN)
        file = self._client.shared_links_files.add_share_link_to_file(file_id, "shared_link", shared_link=link)
        return file.shared_link.url

    def shared_item(self, url):
        return self._client.shared_links_files.find_file_for_shared_link(f"shared_link={url}").id

    def _entries(self, page):
        return [Entry(entry.type.value, entry.id, entry.name) for entry in page.entries]


main(Sdk)
