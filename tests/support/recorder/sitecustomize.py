"""Imported by every Python that finds this folder on its path: notes each host it looks up or connects to.

Not the egress guard's own eyes: those are in assistant.egress, and are what is being checked.
"""

import os
import sys


def _record() -> None:
    file = os.open(os.environ["SOCKET_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(what: str, host: object, port: object) -> None:
        os.write(file, f"{what}\t{host}\t{port}\n".encode())

    def hook(event: str, arguments: tuple) -> None:
        if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            address = arguments[1]
            if isinstance(address, tuple):
                note("connect", address[0], address[1])
            elif address:
                note("unix", address, "")
        elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
            note("lookup", arguments[0], "")

    sys.addaudithook(hook)
    try:
        import uvloop
    except ImportError:
        return
    connect = uvloop.Loop.create_connection  # in C, past the hook

    async def create_connection(self, factory, host=None, port=None, **options):  # type: ignore[no-untyped-def]
        if host is not None:
            note("connect", host, port)
        return await connect(self, factory, host, port, **options)

    uvloop.Loop.create_connection = create_connection


if os.environ.get("SOCKET_RECORD"):
    _record()
