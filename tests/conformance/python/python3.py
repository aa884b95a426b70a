"""The classic boxsdk 3, as the cases use it."""

import io
from dataclasses import dataclass

from boxsdk import BoxAPIException, BoxOAuthException, CCGAuth, Client, JWTAuth, OAuth2
from boxsdk.config import API

import cases  # noqa: F401, the cases enter themselves
from emulator import CCG_APP, OAUTH_APP
from stage import Expected, Refusal, main


@dataclass
class File:
    id: str
    name: str
    size: int
    sha1: str


class Sdk:
    errors = {"token": BoxOAuthException, "exchange": BoxAPIException, "api": BoxAPIException}
    # A 401 makes it refresh, and the refresh token ended with the pair.
    ENDED_PAIR = Expected("token", 400, "invalid_grant", "Invalid refresh token")
    # A 401 makes it refresh, with no refresh token and no app.
    ENDED_BEARER = Expected("token", 400, "invalid_client", "The client credentials are invalid")

    def __init__(self, url, secret=OAUTH_APP[1]):
        self.url = url
        self.secret = secret
        API.BASE_API_URL = f"{url}/2.0"
        API.UPLOAD_URL = f"{url}/upload/2.0"
        API.OAUTH2_API_URL = f"{url}/oauth2"
        API.OAUTH2_AUTHORIZE_URL = f"{url}/api/oauth2/authorize"
        API.MAX_RETRY_ATTEMPTS = 5

    def with_secret(self, secret):
        return Sdk(self.url, secret)

    def authorize_url(self, redirect_uri):
        return OAuth2(OAUTH_APP[0], self.secret).get_authorization_url(redirect_uri)[0]

    def login(self, code):
        session = Session(*self._app())
        session.auth.authenticate(code)
        return session

    def resume(self, pair):
        return Session(*self._app(), pair=pair)

    def bearer(self, token):
        return Session(None, None, pair=(token, None))

    def revoke(self, token):
        revoke(OAuth2(*self._app(), access_token=token))

    def ccg(self, enterprise=None, user=None):
        return Session.of(CCGAuth(*CCG_APP, enterprise_id=enterprise, user=user))

    def jwt(self, settings_file, user=None, algorithm="RS256", retries=True):
        if not retries:
            API.MAX_RETRY_ATTEMPTS = 0
        return Session.of(JWTAuth.from_settings_file(settings_file, user=user, jwt_algorithm=algorithm))

    def refusal(self, error):
        return Refusal(error.status, error.code, error.message, getattr(error, "request_id", None))

    def _app(self):
        return OAUTH_APP[0], self.secret


class Session:
    def __init__(self, client_id, secret, pair=(None, None)):
        self._stored = pair
        self.auth = OAuth2(
            client_id, secret, store_tokens=self._store, access_token=pair[0], refresh_token=pair[1]
        )
        self._client = Client(self.auth)

    @classmethod
    def of(cls, auth):
        session = cls(None, None)
        session.auth = auth
        session._client = Client(auth)
        return session

    def _store(self, access_token, refresh_token):
        self._stored = (access_token, refresh_token)

    def pair(self):
        return self._stored

    def refresh(self):
        self.auth.refresh(self._stored[0])

    def revoke(self):
        revoke(self.auth)

    def downscope(self, scopes, file=None, folder=None, shared_link=None):
        item = self._client.file(file) if file else None
        item = self._client.folder(folder) if folder else item
        return self._client.downscope_token(scopes, item, shared_link=shared_link).access_token

    def me(self):
        return self._client.user().get()

    def list(self, folder):
        return list(self._client.folder(folder).get_items(limit=1000))

    def ids_by_offset(self, folder, limit):
        return [entry.id for entry in self._client.folder(folder).get_items(limit=limit)]

    def ids_by_marker(self, folder, limit):
        return [entry.id for entry in self._client.folder(folder).get_items(limit=limit, use_marker=True)]

    def file(self, file_id):
        file = self._client.file(file_id).get()
        return File(file.id, file.name, file.size, file.sha1)

    def download(self, file_id):
        return self._client.file(file_id).content()

    def upload(self, folder, name, content):
        return self._client.folder(folder).upload_stream(io.BytesIO(content), name).id

    def rename(self, file_id, name):
        self._client.file(file_id).rename(name)

    def delete(self, file_id):
        self._client.file(file_id).delete()

    def search(self, query):
        return [entry.id for entry in self._client.search().query(query)]

    def share(self, file_id):
        return self._client.file(file_id).get_shared_link(access="open")

    def shared_item(self, url):
        return self._client.get_shared_item(url).id


def revoke(auth):
    """Box answers 200 and an empty body. This SDK wants JSON of each answer, and raises although all is done."""
    try:
        auth.revoke()
    except BoxOAuthException as error:
        if error.status != 200:
            raise


main(Sdk)
