"""Lets this process connect to the hosts it was given, to this machine, and nowhere else.

It is enforced by an audit hook (PEP 578), which Python calls before it looks up a name, connects a socket or sends a
datagram, whichever library asked, and which cannot be removed. uvloop, which Rasa's web server runs on,
connects in C past those events, so its own methods are wrapped too, as are those of sockets that take a name.

What it cannot see is C code with sockets of its own. Here that is libpq, which connects to the database
of the settings, and the system's resolver, which is asked for allowed names only.
"""

from __future__ import annotations

import errno
import functools
import importlib.util
import ipaddress
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any, NoReturn
from urllib.parse import urlsplit

logger = logging.getLogger(__name__)

#: Seconds for which an address counts as that of the name it was looked up for.
REMEMBERED = 600.0
HTTPS = 443
_MOST_ADDRESSES = 4096
_JUDGED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_LOOKUPS = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})


class EgressRefused(PermissionError):
    """This host is not on the allow-list. An OSError, so that libraries clean up as after any failed connection.

    The message names the host, and nothing of what was to be sent.
    """

    def __init__(self, host: str) -> None:
        super().__init__(errno.EACCES, f"connecting to {host} is not allowed")
        self.host = host


class Guard:
    """Decides, and remembers which addresses the allowed names have. Safe to use from any thread."""

    def __init__(self, allowed: Iterable[str], monotonic: Callable[[], float] = time.monotonic) -> None:
        self.hosts = frozenset(_split(host) for host in allowed)
        self._names = frozenset(name for name, _ in self.hosts)
        self._monotonic = monotonic
        self._addresses: dict[tuple[str, int], float] = {}

    def check_name(self, host: object) -> None:
        """Before a look-up. An address needs none, and is judged when it is connected to. Raises EgressRefused."""
        if not self.knows(host):
            _refuse(_name(host))

    def knows(self, host: object) -> bool:
        """Whether this may be looked up: an allowed name, this machine's, or no name at all."""
        name = _name(host)
        return not name or name in self._names or is_loopback(name) or _address(name) is not None

    def check_address(self, family: int, address: object) -> None:
        """Before a connection or a datagram. Raises EgressRefused."""
        if family == socket.AF_UNIX:
            return
        if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple) or len(address) < 2:
            _refuse("an address that is not of the internet")
        self.check(address[0], address[1])

    def check(self, host: object, port: object) -> None:
        """Host, by name or number, and port together. Raises EgressRefused."""
        name = _name(host)
        number = int(str(port)) if str(port).isdecimal() else -1
        if is_loopback(name) or (name, number) in self.hosts:
            return
        known = self._addresses.get((_canonical(name), number))
        if known is None or self._monotonic() - known > REMEMBERED:
            _refuse(name)

    def learn(self, host: object, found: Iterable[Any]) -> None:
        """What getaddrinfo found for a host, so that its addresses may be connected to, on its ports alone."""
        name = _name(host)
        ports = [port for allowed, port in self.hosts if allowed == name]
        if not ports:
            return
        now = self._monotonic()
        if len(self._addresses) > _MOST_ADDRESSES:
            self._addresses = {key: at for key, at in list(self._addresses.items()) if now - at <= REMEMBERED}
        for *_, address in found:
            for port in ports:
                self._addresses[_canonical(str(address[0])), port] = now


_guard: Guard | None = None
_installing = threading.Lock()
_speaking = threading.local()


def install(allowed: Iterable[str]) -> None:
    """Guard this process until it ends. A later call may leave hosts out. Raises ValueError when it adds one."""
    global _guard
    guard = Guard(allowed)
    with _installing:
        if _guard is not None:
            if not guard.hosts <= _guard.hosts:
                raise ValueError("egress is guarded already; no host can be added")
            _guard = guard
            return
        _wrap_lookups()
        _wrap_sockets()
        _wrap_uvloop()
        _guard = guard
        sys.addaudithook(_hook)


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Called for every audited event of the process: the common case must cost next to nothing."""
    if not event.startswith("socket."):
        return
    guard = _guard
    if guard is None:
        return
    if event in _JUDGED:
        sock, address = arguments[0], arguments[1]
        if address is not None:  # sendmsg on a connected socket
            guard.check_address(sock.family, address)
    elif event in _LOOKUPS:
        guard.check_name(arguments[0])


def _refuse(host: str) -> NoReturn:
    """Logs the host and raises. A log handler that itself connects would come back here: it is not logged."""
    shown = "".join(character for character in host if character.isprintable())[:253]
    if not getattr(_speaking, "now", False):
        _speaking.now = True
        try:
            logger.warning("Refused a connection to %s", shown)
        finally:
            _speaking.now = False
    raise EgressRefused(shown)


def _wrap_lookups() -> None:
    """The hook sees what is asked, not the answer. asyncio finds this function by name at each call."""
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        found = real(host, port, *args, **kwargs)
        if _guard is not None:
            _guard.learn(host, found)
        return found

    socket.getaddrinfo = getaddrinfo


def _wrap_sockets() -> None:
    """Given a name, these look it up before the hook is called: the name itself could carry something out."""
    for method, position in (("connect", 0), ("connect_ex", 0), ("sendto", -1), ("sendmsg", 3)):
        setattr(socket.socket, method, _checked(getattr(socket.socket, method), position))


def _checked(real: Callable[..., Any], position: int) -> Callable[..., Any]:
    @functools.wraps(real)
    def method(self: socket.socket, *args: Any) -> Any:
        if _guard is not None and len(args) > position and args[position] is not None:
            _guard.check_address(self.family, args[position])
        return real(self, *args)

    return method


def _wrap_uvloop() -> None:
    if importlib.util.find_spec("uvloop") is None:
        return
    import uvloop

    loop: Any = uvloop.Loop
    connect, lookup, datagrams = loop.create_connection, loop.getaddrinfo, loop.create_datagram_endpoint

    async def create_connection(
        self: Any, protocol_factory: Any, host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        if _guard is not None and host is not None:
            _guard.check(host, port)
        return await connect(self, protocol_factory, host, port, **options)

    async def getaddrinfo(self: Any, host: Any, port: Any, **options: Any) -> Any:
        if _guard is None:
            return await lookup(self, host, port, **options)
        _guard.check_name(host)
        found = await lookup(self, host, port, **options)
        _guard.learn(host, found)
        return found

    async def create_datagram_endpoint(
        self: Any, protocol_factory: Any, local_addr: Any = None, remote_addr: Any = None, **options: Any
    ) -> Any:
        # Without a remote address each datagram names its own, unseen. Nothing here sends any.
        if _guard is not None:
            _guard.check(*(remote_addr or ("anywhere by datagram", 0))[:2])
        return await datagrams(self, protocol_factory, local_addr, remote_addr, **options)

    loop.create_connection = create_connection
    loop.getaddrinfo = getaddrinfo
    loop.create_datagram_endpoint = create_datagram_endpoint


def _split(host: str) -> tuple[str, int]:
    parts = urlsplit(f"//{host}")
    return _name(parts.hostname), parts.port or HTTPS


def _name(host: object) -> str:
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "backslashreplace")
    return str(host or "").lower().removesuffix(".")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None


def _canonical(name: str) -> str:
    address = _address(name)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address or name)


def is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    address = _address(_canonical(name))
    return address is not None and address.is_loopback
