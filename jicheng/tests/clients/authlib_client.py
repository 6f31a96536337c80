"""Signs a person on and off with an existing OpenID client, Authlib of PyPI.

    pip install authlib requests
    BASE_URL=http://HOST:PORT ACCOUNTS=DATA/demo-accounts.json python authlib_client.py

The person's browser is a plain cookie jar that follows our pages by hand. Everything the client
checks (state, nonce, signatures by the published keys, at_hash) is checked by Authlib and joserfc.
Prints what it saw and exits 0 when everything held.
"""

import html
import json
import os
import re
import sys
from urllib.parse import parse_qs, urljoin, urlparse

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

RETURN = "https://culture.example/callback"
BYE = "https://culture.example/bye"


def check(condition, what):
    """Says what holds; stops at the first thing that does not."""
    if not condition:
        sys.exit(f"FAILED: {what}")
    print("ok", what)


class Browser(requests.Session):
    """A person before a browser: follows redirects by hand, never leaves the city."""

    def __init__(self, base):
        super().__init__()
        self.base = base

    def sign_in(self, account, password):
        body = {"account": account, "password": password}
        answer = self.post(self.base + "/api/v1/session", json=body, headers={"X-CSRF": "1"}, timeout=30)
        answer.raise_for_status()
        return answer.json()["token"]

    def step(self, url):
        """One request; answers where the browser is sent, by redirect or by the page itself."""
        answer = self.get(urljoin(self.base, url), allow_redirects=False, timeout=30)
        if answer.is_redirect or answer.status_code == 303:
            return answer.headers["location"]
        answer.raise_for_status()
        return html.unescape(re.search(r'content="0;url=([^"]+)"', answer.text).group(1))

    def consent(self, url, agrees=True):
        """Reads what is asked, answers, and says where the browser goes."""
        request = parse_qs(urlparse(url).query)["request"][0]
        asked = self.get(self.base + "/api/v1/openid/request", params={"request": request}, timeout=30)
        asked.raise_for_status()
        body = {"request": request, "agrees": agrees, "remember": False}
        next_ = self.post(self.base + "/api/v1/openid/consent", json=body, headers={"X-CSRF": "1"}, timeout=30)
        next_.raise_for_status()
        return asked.json(), next_.json()["to"]


def register(base, password, method):
    """The operator registers an application."""
    session = requests.post(base + "/api/v1/session", json={"account": "operator", "password": password}, timeout=30)
    session.raise_for_status()
    body = {
        "name": {"zh": "文化馆", "en": "Culture house"},
        "purpose": {"zh": "预约讲座", "en": "book lectures"},
        "method": method,
        "redirect_uris": [RETURN],
        "post_logout_redirect_uris": [BYE],
        "scopes": ["openid", "profile", "roles", "organisation", "offline_access"],
    }
    bearer = {"Authorization": "Bearer " + session.json()["token"]}
    made = requests.post(base + "/api/v1/operator/applications", json=body, headers=bearer, timeout=30)
    check(made.status_code == 201, f"an application is registered ({method})")
    made = made.json()
    return made["application"]["id"], made["secret"]


def sign_on(base, officer, discovery, method):
    """One application, one sign-on and sign-out."""
    client_id, secret = register(base, operator_password, method)
    client = OAuth2Session(
        client_id, secret, token_endpoint_auth_method=method, revocation_endpoint_auth_method=method,
        redirect_uri=RETURN,
        scope="openid profile roles offline_access", code_challenge_method="S256",
    )
    verifier, nonce = generate_token(48), generate_token(20)
    url, state = client.create_authorization_url(
        discovery["authorization_endpoint"], code_verifier=verifier, nonce=nonce)

    browser = Browser(base)
    bounced = browser.step(url)
    check(urlparse(bounced).path == "/oauth2/continue", "a request of another site moves on from a page of ours")
    check(browser.step(bounced).startswith("/sign-in?then="), "nobody is signed in: the sign-in page")
    browser.sign_in("officer", officer)
    consent = browser.step(bounced)
    asked, back = browser.consent(consent)
    check(asked["host"] == "culture.example" and len(asked["scopes"]) == 4, "the person is asked for four things")
    check(parse_qs(urlparse(back).query)["iss"] == [discovery["issuer"]], "the answer names its issuer (RFC 9207)")

    token = client.fetch_token(
        discovery["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier)
    keys = KeySet.import_key_set(requests.get(discovery["jwks_uri"], timeout=30).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["ES256"])
    claims = CodeIDToken(
        decoded.claims, decoded.header,
        {"iss": {"essential": True, "value": discovery["issuer"]}, "aud": {"essential": True, "value": client_id},
         "nonce": {"value": nonce}},
        {"nonce": nonce, "client_id": client_id, "access_token": token["access_token"]},
    )
    claims.validate(leeway=60)
    check(claims["sub"] and claims["auth_time"], "Authlib accepts the ID token")

    info = client.get(discovery["userinfo_endpoint"], timeout=30)
    info.raise_for_status()
    info = info.json()
    check(info["sub"] == claims["sub"] and info["preferred_username"] == "officer", "userinfo tells of the same person")

    old = token["refresh_token"]
    new = client.refresh_token(discovery["token_endpoint"], refresh_token=old)
    check(new["refresh_token"] != old, "the refresh token is rotated")
    live = client.introspect_token(discovery["introspection_endpoint"], token=new["access_token"]) if secret else None
    check(live is None or live.json()["active"], "introspection says it counts")
    client.revoke_token(discovery["revocation_endpoint"], token=new["refresh_token"]).raise_for_status()
    if live is not None:
        gone = client.introspect_token(discovery["introspection_endpoint"], token=new["access_token"])
        check(gone.json() == {"active": False}, "revoked with its refresh token")
    try:
        client.refresh_token(discovery["token_endpoint"], refresh_token=old)
        check(False, "a replayed refresh token is refused")
    except OAuthError as error:
        check(error.error == "invalid_grant", "a replayed refresh token is refused")

    silent, _ = client.create_authorization_url(
        discovery["authorization_endpoint"], code_verifier=verifier, nonce=nonce, prompt="none")
    silent = browser.step(silent)
    check(parse_qs(urlparse(silent).query)["error"] == ["consent_required"], "prompt=none: nothing was remembered")
    query = {"id_token_hint": token["id_token"], "post_logout_redirect_uri": BYE, "state": "bye"}
    bye = requests.Request("GET", discovery["end_session_endpoint"], params=query).prepare().url
    check(browser.step(bye) == BYE + "?state=bye", "signed out and sent back")
    check(browser.get(base + "/api/v1/session", timeout=30).status_code == 401, "signed out here too")


base = os.environ["BASE_URL"].rstrip("/")
with open(os.environ["ACCOUNTS"], encoding="utf-8") as file:
    accounts = json.load(file)
operator_password = accounts["operator"]["password"]
document = requests.get(base + "/.well-known/openid-configuration", timeout=30).json()
check(document["issuer"] == base, "discovery")
for auth in ("client_secret_basic", "client_secret_post", "none"):
    sign_on(base, accounts["officer"]["password"], document, auth)
print("Authlib signed on and off with three kinds of applications.")
