"""Attacks on the sandbox's OAuth, each over HTTP, each to be refused; and the flow that is not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from support.sandbox import CLIENT_ID, REDIRECT_URI, SCOPE, SandboxProcess, free_port, pkce

from assistant.sandbox.demo import DemoRefused, authorize_demo, walk_pages

VERIFIER, CHALLENGE = pkce()
REQUEST = {
    "response_type": "code",
    "client_id": CLIENT_ID,
    "redirect_uri": REDIRECT_URI,
    "scope": SCOPE,
    "state": "s1",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}


def ask(sandbox: SandboxProcess, **changes: str) -> requests.Response:
    query = {name: value for name, value in {**REQUEST, **changes}.items() if value != ""}
    return requests.get(f"{sandbox.url}/oauth/authorize", params=query, allow_redirects=False, timeout=10)


def code(sandbox: SandboxProcess, redirect_uri: str = REDIRECT_URI) -> str:
    back = authorize_demo(sandbox.url, "maya", CLIENT_ID, redirect_uri, CHALLENGE, "s1", SCOPE)
    return parse_qs(urlsplit(back).query)["code"][0]


def exchange(sandbox: SandboxProcess, value: str, **changes: str) -> requests.Response:
    form = {"grant_type": "authorization_code", "code": value, "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI}
    return sandbox.token(**{**form, **changes})


def works(sandbox: SandboxProcess, access_token: str) -> bool:
    answer = sandbox.get("/fdx/v6/accounts", access_token)
    assert answer.status_code == 200 or answer.json()["code"] == "603"
    return answer.status_code == 200


def refused(answer: requests.Response, error: str = "invalid_grant", status: int = 400) -> bool:
    assert answer.headers["Cache-Control"] == "no-store"
    return (answer.status_code, answer.json()["error"]) == (status, error)


def test_metadata_says_what_is_so(sandbox: SandboxProcess) -> None:
    found = requests.get(f"{sandbox.url}/.well-known/oauth-authorization-server", timeout=10).json()
    assert found["issuer"] == sandbox.url
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert all(found[name].startswith(sandbox.url) for name in found if name.endswith("_endpoint"))
    assert found["authorization_response_iss_parameter_supported"] is True


def test_the_answer_carries_state_and_issuer(sandbox: SandboxProcess) -> None:
    back = authorize_demo(sandbox.url, "maya", CLIENT_ID, REDIRECT_URI, CHALLENGE, "my state&x", SCOPE)
    assert back.startswith(f"{REDIRECT_URI}?")
    answer = parse_qs(urlsplit(back).query)
    assert (answer["state"], answer["iss"]) == (["my state&x"], [sandbox.url])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": "", "code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "fdx:accountbasic:read admin"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"authorization_details": '{"type":"fdx_v1.0"}'}, "invalid_authorization_details"),
    ],
)
def test_a_bad_request_goes_back_with_an_error(sandbox: SandboxProcess, changes: dict[str, str], error: str) -> None:
    answer = ask(sandbox, **changes)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith(f"{REDIRECT_URI}?")
    assert parse_qs(urlsplit(answer.headers["Location"]).query)["error"] == [error]


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://evil.example/callback",
        "https://127.0.0.1/callback",
        "http://127.0.0.1/callback/../x",
        "http://127.0.0.1/callback?x=1",
        "http://127.0.0.1/callback#x",
        "http://127.0.0.1@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://localhost/callback",
        "http://127.0.0.1:99999/callback",
        "http://127.0.0.1:5006/link/elsewhere",
        "http://127.0.0.1:5005/link/callback/",
        "javascript:alert(1)",
        "",
    ],
)
def test_an_unregistered_redirect_is_never_followed(sandbox: SandboxProcess, redirect_uri: str) -> None:
    answer = ask(sandbox, redirect_uri=redirect_uri)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert requests.post(f"{sandbox.url}/oauth/par", data={**REQUEST, "redirect_uri": redirect_uri}, timeout=10).json()[
        "error"
    ] in {"invalid_request"}


@pytest.mark.parametrize(
    "redirect_uri",
    ["http://127.0.0.1:5005/link/callback", "http://127.0.0.1:5006/link/callback", "http://127.0.0.1:61023/callback"],
)
def test_registered_redirects_and_any_loopback_port(sandbox: SandboxProcess, redirect_uri: str) -> None:
    value = code(sandbox, redirect_uri)
    assert exchange(sandbox, value, redirect_uri=redirect_uri).status_code == 200


def test_an_unknown_client_gets_nothing(sandbox: SandboxProcess) -> None:
    assert ask(sandbox, client_id="someone").status_code == 400
    assert refused(exchange(sandbox, code(sandbox), client_id="someone"), "invalid_client", 401)


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "x" * 43},
        {"code_verifier": ""},
        {"code_verifier": CHALLENGE},
        {"redirect_uri": "http://127.0.0.1:1/callback"},
        {"redirect_uri": ""},
        {"code": "guessed"},
    ],
)
def test_a_code_needs_its_verifier_and_redirect(sandbox: SandboxProcess, changes: dict[str, str]) -> None:
    assert refused(exchange(sandbox, code(sandbox), **changes))


def test_a_wrong_verifier_spends_the_code(sandbox: SandboxProcess) -> None:
    value = code(sandbox)
    assert refused(exchange(sandbox, value, code_verifier="x" * 43))
    assert refused(exchange(sandbox, value))


def test_a_replayed_code_kills_the_tokens_it_gave(sandbox: SandboxProcess) -> None:
    value = code(sandbox)
    tokens = exchange(sandbox, value).json()
    assert works(sandbox, tokens["access_token"])
    assert refused(exchange(sandbox, value))
    assert not works(sandbox, tokens["access_token"])
    assert refused(sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]))


def test_a_code_ends_after_a_minute(sandbox: SandboxProcess) -> None:
    value = code(sandbox)
    sandbox.forward(seconds=61)
    assert refused(exchange(sandbox, value))


def test_an_access_token_ends_and_a_refresh_rotates(sandbox: SandboxProcess) -> None:
    first = sandbox.authorize("maya")
    sandbox.forward(seconds=first["expires_in"])
    assert not works(sandbox, first["access_token"])
    second = sandbox.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert second["fdxConsentId"] == first["fdxConsentId"]
    assert works(sandbox, second["access_token"])


def test_a_replayed_refresh_token_kills_the_family(sandbox: SandboxProcess) -> None:
    first = sandbox.authorize("maya")
    second = sandbox.token(grant_type="refresh_token", refresh_token=first["refresh_token"]).json()
    assert refused(sandbox.token(grant_type="refresh_token", refresh_token=first["refresh_token"]))
    assert not works(sandbox, second["access_token"])
    assert refused(sandbox.token(grant_type="refresh_token", refresh_token=second["refresh_token"]))


def test_a_consent_ends_with_its_term(sandbox: SandboxProcess) -> None:
    tokens = sandbox.authorize("maya")
    sandbox.forward(days=366)
    assert refused(sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]))


@pytest.mark.parametrize(
    ("kind", "access_lives", "refresh_lives"), [("access", False, True), ("refresh", False, False)]
)
def test_revocation(sandbox: SandboxProcess, kind: str, access_lives: bool, refresh_lives: bool) -> None:
    tokens = sandbox.authorize("maya")
    other = sandbox.authorize("maya")
    form = {"client_id": CLIENT_ID, "token": tokens[f"{kind}_token"]}
    assert requests.post(f"{sandbox.url}/oauth/revoke", data=form, timeout=10).status_code == 200
    assert works(sandbox, tokens["access_token"]) is access_lives
    answer = sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (answer.status_code == 200) is refresh_lives
    assert works(sandbox, other["access_token"])
    unknown = requests.post(f"{sandbox.url}/oauth/revoke", data={**form, "token": "unknown"}, timeout=10)
    assert unknown.status_code == 200


def test_unknown_grants(sandbox: SandboxProcess) -> None:
    assert refused(sandbox.token(grant_type="password", username="maya"), "unsupported_grant_type")
    assert refused(sandbox.token(), "unsupported_grant_type")
    tokens = sandbox.authorize("maya")
    assert refused(sandbox.token(grant_type="refresh_token", refresh_token=tokens["access_token"]))


def details(**more: Any) -> str:
    resources = [{"resourceType": "ACCOUNT", "dataClusters": ["ACCOUNT_BASIC", "TRANSACTIONS"]}]
    return json.dumps([{"type": "fdx_v1.0", "durationPeriod": 30, "resources": resources, **more}])


def push(sandbox: SandboxProcess, **changes: str) -> requests.Response:
    return requests.post(f"{sandbox.url}/oauth/par", data={**REQUEST, **changes}, timeout=10)


def test_a_pushed_request_with_details_narrows_the_consent(sandbox: SandboxProcess) -> None:
    pushed = push(sandbox, scope="", authorization_details=details())
    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 60)
    query = urlencode({"client_id": CLIENT_ID, "request_uri": pushed.json()["request_uri"]})
    url = f"{sandbox.url}/oauth/authorize?{query}"
    answer = parse_qs(urlsplit(walk_pages(url, "maya")).query)
    tokens = exchange(sandbox, answer["code"][0]).json()
    assert tokens["scope"] == "fdx:accountbasic:read fdx:transactions:read"
    consent = sandbox.get(f"/fdx/v6/consents/{tokens['fdxConsentId']}", tokens["access_token"]).json()
    assert (consent["durationPeriod"], consent["expirationTime"][:10]) == (30, "2026-04-14")
    assert requests.get(url, timeout=10).status_code == 400, "a request_uri works once"


def test_pushed_requests_are_checked_and_expire(sandbox: SandboxProcess) -> None:
    assert refused(push(sandbox, code_challenge_method="plain"), "invalid_request")
    for wrong in (details(type="other"), details(durationPeriod=9999), details(resources=1), "not json"):
        assert refused(push(sandbox, authorization_details=wrong), "invalid_authorization_details")
    uri = push(sandbox).json()["request_uri"]
    sandbox.forward(seconds=61)
    late = requests.get(
        f"{sandbox.url}/oauth/authorize", params={"client_id": CLIENT_ID, "request_uri": uri}, timeout=10
    )
    assert late.status_code == 400


def test_a_wrong_password_is_told_and_five_are_too_many(sandbox: SandboxProcess) -> None:
    url = f"{sandbox.url}/oauth/authorize?{urlencode(REQUEST)}"
    for login, password in (("maya", "wrong"), ("nobody", "sandbox"), ("maya", "")):
        with pytest.raises(DemoRefused, match="sign-in answered 401"):
            walk_pages(url, login, password)
    with requests.Session() as browser:
        csrf = browser.get(url, timeout=10).text.split('name="csrf" value="')[1].split('"')[0]
        tries = [
            browser.post(
                f"{sandbox.url}/oauth/login", data={"csrf": csrf, "login": "maya", "password": word}, timeout=10
            ).status_code
            for word in ["wrong"] * 5 + ["sandbox"]
        ]
    assert tries == [401] * 5 + [400]


def test_forms_need_their_cookie_and_csrf(sandbox: SandboxProcess) -> None:
    url = f"{sandbox.url}/oauth/authorize?{urlencode(REQUEST)}"
    right = {"login": "maya", "password": "sandbox"}
    with requests.Session() as browser:
        page = browser.get(url, timeout=10)
        csrf = page.text.split('name="csrf" value="')[1].split('"')[0]
        post = f"{sandbox.url}/oauth/login"
        assert browser.post(post, data={**right, "csrf": "forged"}, timeout=10).status_code == 400
        assert requests.post(post, data={**right, "csrf": csrf}, timeout=10).status_code == 400
        consent = browser.post(
            f"{sandbox.url}/oauth/consent", data={"csrf": csrf, "decision": "allow", "account": "x"}, timeout=10
        )
        assert consent.status_code == 400, "no consent before sign-in"
        assert browser.get(f"{sandbox.url}/oauth/consent", timeout=10).status_code == 400


def test_declining_goes_back_empty_handed(sandbox: SandboxProcess) -> None:
    back = authorize_demo(sandbox.url, "maya", CLIENT_ID, REDIRECT_URI, CHALLENGE, "s1", SCOPE, accounts=[])
    answer = parse_qs(urlsplit(back).query)
    assert answer["error"] == ["access_denied"]
    assert "code" not in answer


def test_pages_cannot_be_framed_scripted_or_kept(sandbox: SandboxProcess) -> None:
    page = ask(sandbox, state='"><script>alert(1)</script>')
    assert "<script" not in page.text
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["Cache-Control"] == "no-store"
    assert "HttpOnly" in page.headers["Set-Cookie"]
    assert "style=" not in page.text
    assert requests.get(f"{sandbox.url}/assets/bank.css", timeout=10).headers["Content-Type"].startswith("text/css")


def test_links_survive_a_restart_and_only_digests_are_kept(tmp_path: Path) -> None:
    file, port = tmp_path / "bank.sqlite", free_port()
    with SandboxProcess(state=file, port=port) as sandbox:
        tokens = sandbox.authorize("alex")
        before = sandbox.get("/fdx/v6/accounts", tokens["access_token"], resultType="details").content
    with SandboxProcess(state=file, port=port) as sandbox:
        assert sandbox.get("/fdx/v6/accounts", tokens["access_token"], resultType="details").content == before
        assert sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 200
    kept = file.read_bytes()
    assert tokens["access_token"].encode() not in kept
    assert tokens["refresh_token"].encode() not in kept
    assert file.stat().st_mode & 0o077 == 0


def test_an_independent_oauth_client_links_and_renews(sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")  # loopback
    with OAuth2Session(
        CLIENT_ID,
        scope=SCOPE,
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        token_endpoint_auth_method="none",
    ) as client:
        url, state = client.create_authorization_url(f"{sandbox.url}/oauth/authorize", code_verifier=VERIFIER)
        token = client.fetch_token(
            f"{sandbox.url}/oauth/token",
            authorization_response=walk_pages(url, "jordan"),
            state=state,
            code_verifier=VERIFIER,
        )
        assert works(sandbox, token["access_token"])
        renewed = client.refresh_token(f"{sandbox.url}/oauth/token", refresh_token=token["refresh_token"])
        assert works(sandbox, renewed["access_token"])
        assert client.revoke_token(f"{sandbox.url}/oauth/revoke", token=renewed["refresh_token"]).status_code == 200
        assert not works(sandbox, renewed["access_token"])
