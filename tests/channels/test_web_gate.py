"""What the web channel lets in: no page of another origin gets a word, however it asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.installation import settings_in

from assistant.channels.web_http import POLICY, Gate, Refused, guarded, load_files, secret_of
from assistant.channels.web_limits import Limit, Rate

OWN, BANK, EVIL = "https://assistant.example", "https://www.bank.example", "https://evil.example"
ASKED = {"x-tellerline": "1"}


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(settings_in(tmp_path, production=True, public_address=OWN, web_origins=(BANK,)))


def test_our_own_page_and_those_of_the_settings_are_let_in(gate: Gate) -> None:
    assert gate.check("POST", {"origin": OWN, **ASKED}) == ""
    assert gate.check("GET", {"sec-fetch-site": "same-origin", **ASKED}) == ""
    assert gate.check("POST", {"origin": BANK, **ASKED}) == BANK
    assert gate.shared(BANK)["Access-Control-Allow-Origin"] == BANK and gate.shared("") == {}


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"origin": EVIL}),
        ("POST", {"origin": "null"}),
        ("POST", {"origin": OWN + ".evil.example"}),
        ("POST", {"origin": "http://assistant.example"}),
        ("POST", {"origin": OWN + ":8443"}),
        ("POST", {"origin": OWN.upper()}),
        ("POST", {}),
        ("GET", {"origin": EVIL}),
        ("GET", {"sec-fetch-site": "cross-site"}),
        ("GET", {"sec-fetch-site": "same-site"}),
    ],
    ids=str,
)
def test_a_forged_origin_is_refused(gate: Gate, method: str, headers: dict[str, str]) -> None:
    with pytest.raises(Refused) as refused:
        gate.check(method, {**headers, **ASKED})
    assert refused.value.status == 403


def test_a_request_that_a_form_or_a_picture_can_send_is_refused(gate: Gate) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(Refused):
            gate.check(method, {"origin": OWN})


def test_only_pages_of_the_settings_are_told_that_they_may_ask(gate: Gate) -> None:
    assert gate.preflight(BANK)["Access-Control-Allow-Origin"] == BANK
    for origin in (EVIL, "", "null", "*"):
        with pytest.raises(Refused):
            gate.preflight(origin)


def test_localhost_is_only_for_development(tmp_path: Path) -> None:
    local = {"origin": "http://localhost:5005", **ASKED}
    assert Gate(settings_in(tmp_path)).check("POST", local) == ""
    with pytest.raises(Refused):
        Gate(settings_in(tmp_path, production=True, public_address=OWN)).check("POST", local)


def test_the_cookie_is_bound_to_the_host_where_there_is_tls(gate: Gate, tmp_path: Path) -> None:
    assert gate.cookie.startswith("__Host-") and gate.secure
    assert not Gate(settings_in(tmp_path)).secure


def test_a_session_held_in_memory_goes_before_the_cookie() -> None:
    assert secret_of("kept", "Bearer shown") == "shown"
    assert secret_of("kept", "") == "kept" == secret_of("kept", "Basic eDp5")


def test_nothing_from_elsewhere_may_run_or_frame_our_pages() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in POLICY.split(";"))
    assert rules["default-src"] == "'none'" and rules["frame-ancestors"] == "'none'"
    for kind in ("script-src", "style-src", "connect-src", "img-src"):
        assert rules[kind] == "'self'"
    assert guarded()["Cache-Control"] == "no-store"


def test_the_files_name_no_other_host_and_no_word() -> None:
    files = load_files()
    assert {"chat.js", "chat.css", "recorder.js"} <= set(files)
    for name, file in files.items():
        text = file.body.decode().replace("http://www.w3.org/2000/svg", "")
        assert "http:" not in text and "https:" not in text and "url(" not in text, name
    scripts = sum(len(file.body) for name, file in files.items() if name.endswith(".js"))
    assert scripts < 60_000


def test_a_limit_lets_a_person_through_and_stops_a_machine() -> None:
    now = [0.0]
    limit = Limit(Rate(burst=3, per_second=0.5), clock=lambda: now[0])
    assert [limit.allows("a") for _ in range(4)] == [True, True, True, False]
    assert limit.allows("b") and limit.wait("a") == 2
    now[0] = 2.0
    assert limit.allows("a") and not limit.allows("a")


def test_a_limit_forgets_the_oldest_and_stays_small() -> None:
    limit = Limit(Rate(burst=1, per_second=0.001), keys=2, clock=lambda: 0.0)
    assert limit.allows("a") and not limit.allows("a")
    assert limit.allows("b") and limit.allows("c")
    assert limit.allows("a"), "let go"
