"""Registers an application at a running demonstration and takes refresh tokens for it.

    prepare.py BASE ACCOUNTS COUNT FILE   prints the credentials in base64, writes the tokens
"""

import base64
import hashlib
import html
import json
import re
import secrets
import sys
import urllib.error
import urllib.parse
import urllib.request

base, accounts, count, file = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
RETURN = "https://bench.example/callback"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Answers a redirect instead of following it."""

    def redirect_request(self, *_):
        return None


opener = urllib.request.build_opener(NoRedirect)


def call(method, path, headers=None, body=None, form=None):
    """One request: status, headers, text."""
    headers = dict(headers or {})
    data = None
    if body is not None:
        data, headers["content-type"] = json.dumps(body).encode(), "application/json"
    if form is not None:
        data = urllib.parse.urlencode(form).encode()
        headers["content-type"] = "application/x-www-form-urlencoded"
    request = urllib.request.Request(base + path, data, headers, method=method)
    try:
        with opener.open(request) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def session(name):
    """A session's secret."""
    with open(accounts, encoding="utf-8") as opened:
        password = json.load(opened)[name]["password"]
    status, _, text = call("POST", "/api/v1/session", body={"account": name, "password": password})
    assert status == 200, text
    return json.loads(text)["token"]


def refresh_token(cookie, client):
    """Through consent to a refresh token."""
    verifier = secrets.token_urlsafe(48)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = urllib.parse.urlencode({
        "client_id": client, "redirect_uri": RETURN, "response_type": "code", "scope": "openid offline_access",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(), "code_challenge_method": "S256",
    })
    jar = {"cookie": "jicheng_session=" + cookie, "x-csrf": "1"}
    status, headers, text = call("GET", "/oauth2/authorize?" + query, jar)
    if status == 200:
        path = html.unescape(re.search(r'content="0;url=([^"]+)"', text).group(1))
        status, headers, text = call("GET", path, jar)
    assert status == 303, text
    place = headers["location"]
    if place.startswith("/consent"):
        request = urllib.parse.parse_qs(urllib.parse.urlparse(place).query)["request"][0]
        body = {"request": request, "agrees": True, "remember": True}
        status, _, text = call("POST", "/api/v1/openid/consent", jar, body)
        assert status == 200, text
        place = json.loads(text)["to"]
    code = urllib.parse.parse_qs(urllib.parse.urlparse(place).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": RETURN, "code_verifier": verifier}
    status, _, text = call("POST", "/oauth2/token", {"authorization": "Basic " + credentials}, form=form)
    assert status == 200, text
    return json.loads(text)["refresh_token"]


spec = {
    "name": {"zh": "测速", "en": "Benchmark"}, "purpose": {"zh": "测速", "en": "benchmark"},
    "method": "client_secret_basic", "redirect_uris": [RETURN], "scopes": ["openid", "offline_access"],
}
operator = {"authorization": "Bearer " + session("operator")}
# One application may ask 500 times a second as declared; here the endpoint is measured, not its limit.
wide = {"organisation": "*", "application": "*", "meter": "requests", "window": "minute",
        "limit": 1_000_000_000, "reason": "测速 / a benchmark"}
status, _, text = call("PUT", "/api/v1/operator/quotas/program_requests_minute", operator, wide)
assert status == 200, text
made_status, _, made = call("POST", "/api/v1/operator/applications", operator, spec)
assert made_status == 201, made
made = json.loads(made)
pair = made["application"]["id"] + ":" + made["secret"]
credentials = base64.b64encode(pair.encode()).decode()
# One person gets 60 authorisations a minute.
people = [session(name) for name in ("officer", "duty", "resident", "auditor")]
with open(file, "w", encoding="utf-8") as out:
    for n in range(count):
        out.write(refresh_token(people[n % len(people)], made["application"]["id"]) + "\n")
print(credentials)
