"""The emulator as a test drives it: its control API, and its authorize page as a browser would."""

import json
import tempfile
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit, urlunsplit

REDIRECT_URI = "http://localhost:8787/auth/callback"
# Known to everyone, worth nothing: the sample data of the emulator.
OAUTH_APP = ("keyhole-dev", "keyhole-dev-secret-not-a-secret")
CCG_APP = ("keyhole-ccg", "keyhole-ccg-secret-not-a-secret")
JWT_APP = ("keyhole-jwt", "keyhole-jwt-secret-not-a-secret")


class Failed(Exception):
    """What a case found, in a sentence."""


class Emulator:
    """One emulator, at `url`."""

    def __init__(self, url):
        self.url = url

    def reset(self):
        self._ask("POST", "reset", {})

    def settings(self, **switches):
        self._ask("POST", "settings", switches)

    def fault(self, **order):
        """Something to go wrong, once unless `count` says otherwise."""
        self._ask("POST", "faults", order)

    def expire(self, kind):
        self._ask("POST", "expire", {"kind": kind})

    def advance(self, seconds):
        """Box's clock goes forward; this machine's does not."""
        self._ask("POST", "clock", {"advance_seconds": seconds})

    def tokens(self):
        """Every token there ever was, by its value."""
        return {token["value"]: token for token in self._ask("GET", "ledger")["tokens"]}

    def calls_of(self, path, grant_type=None):
        """The statuses that calls of `path`, by that grant if one is named, were answered with, in order."""
        calls = [call for call in self._ask("GET", "calls")["log"] if call["path"] == path]
        return [call["status"] for call in calls if grant_type in (None, call["grant_type"])]

    def faults_met(self):
        """What went wrong on order, in the words of the console's log, in order."""
        notes = [line["note"] or "" for line in self._ask("GET", "log")["entries"]]
        return [note for note in notes if note.startswith("fault: ")]

    def user(self, kind, client_id=None):
        """The first person, app user or service account of that kind."""
        users = self._ask("GET", "users")["users"]
        return next(user for user in users if user["kind"] == kind and user["client_id"] == client_id)

    def enterprise_id(self):
        return self._ask("GET", "users")["enterprise_id"]

    def change_app(self, client_id, **members):
        self._ask("PATCH", f"apps/{client_id}", members)

    def developer_token(self, client_id, user_id):
        return self._ask("POST", "tokens", {"client_id": client_id, "user": user_id})["access_token"]

    def settings_file(self):
        """The path of the settings file that the console gives for a new key pair of the JWT app."""
        settings = self._ask("POST", f"apps/{JWT_APP[0]}/keys", {})
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(settings, file)
        return file.name

    def forget_keys(self):
        """The JWT app has no public key any more."""
        apps = {app["client_id"]: app for app in self._ask("GET", "apps")["apps"]}
        for key in apps[JWT_APP[0]]["keys"]:
            self._ask("DELETE", f"apps/{JWT_APP[0]}/keys/{key['id']}")

    def code_from(self, authorize_url, **parameters):
        """The code that a person's sign-in and consent bring, from the address an SDK sends them to."""
        address = urlsplit(authorize_url)
        query = parse_qs(address.query) | {name: [value] for name, value in parameters.items()}
        # SDKs write the address of account.box.com; the person comes here.
        here = urlunsplit((*urlsplit(self.url)[:2], address.path, urlencode(query, doseq=True), ""))
        browser = Browser()
        browser.open(here)
        browser.submit("sign_in", login="robin@example.com", password="keyhole")
        browser.submit("decide", "grant")
        answer = parse_qs(urlsplit(browser.left_to).query)
        if answer.get("state") != query.get("state"):
            raise Failed("the authorize page gave back another state")
        return answer["code"][0]

    def refresh_refused(self, refresh_token):
        """The status and the error with which a refresh is refused, if it is. No SDK stands between: not each of them
        brings a refresh token that has ended."""
        client_id, client_secret = OAUTH_APP
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        form |= {"client_id": client_id, "client_secret": client_secret}
        try:
            urllib.request.urlopen(f"{self.url}/oauth2/token", urlencode(form).encode()).close()
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)["error"]
        return None

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/emulator/{path}", data, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            words = refusal.read().decode()
            raise Failed(f"{method} /emulator/{path} was answered {refusal.code}: {words}") from None


class Browser:
    """A person's browser, as far as cookies, redirects and forms go."""

    def __init__(self):
        cookies = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(cookies, _StaysHere())
        self._address = None
        self._forms = []
        # Where it was sent to beyond the site.
        self.left_to = None

    def open(self, address, data=None):
        try:
            with self._opener.open(address, data) as answer:
                self._address = answer.url
                page = Page()
                page.feed(answer.read().decode())
                self._forms = page.forms
        except urllib.error.HTTPError as away:
            location = away.headers.get("Location")
            if location is None:
                raise Failed(f"the authorize page answered {away.code}") from None
            self.left_to = location

    def submit(self, step, button=None, **typed):
        """Sends the form of that step, with the button of that value, as a person does who fills it in."""
        form = next((form for form in self._forms if form.fields.get("step") == step), None)
        if form is None:
            raise Failed(f"the authorize page shows no form to {step.replace('_', ' ')}")
        if not typed.keys() <= form.fields.keys():
            raise Failed(f"the form to {step.replace('_', ' ')} lacks a field of {sorted(typed)}")
        fields = form.fields | typed
        if button is not None:
            fields[form.buttons[button]] = button
        self.open(urljoin(self._address, form.action), urlencode(fields).encode())


class _StaysHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect to another site: nobody listens there."""

    def redirect_request(self, request, file, code, message, headers, address):
        if urlsplit(address).netloc != urlsplit(request.full_url).netloc:
            return None
        return super().redirect_request(request, file, code, message, headers, address)


class Form:
    def __init__(self, action):
        self.action = action
        self.fields = {}
        # The name of each button, by its value.
        self.buttons = {}


class Page(HTMLParser):
    """The forms of a page."""

    def __init__(self):
        super().__init__()
        self.forms = []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form":
            self.forms.append(Form(attributes["action"]))
        elif tag == "input":
            self.forms[-1].fields[attributes["name"]] = attributes.get("value", "")
        elif tag == "button" and "name" in attributes:
            self.forms[-1].buttons[attributes["value"]] = attributes["name"]
