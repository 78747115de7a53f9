"""``python -m assistant.sandbox``: run the sandbox bank."""

from __future__ import annotations

import argparse
import socket
from pathlib import Path

from assistant.sandbox.app import Config, create_app


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m assistant.sandbox", description="A bank to develop against.")
    parser.add_argument("--port", type=int, default=8801)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; this machine only unless said otherwise")
    parser.add_argument("--public-url", default="", help="the address clients use, when it isn't http://HOST:PORT")
    parser.add_argument("--state", type=Path, help="SQLite file that keeps consents and tokens over a restart")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another history")
    parser.add_argument("--fdx", type=int, choices=(4, 5, 6), default=6, help="the version the front page points to")
    parser.add_argument("--admin-key", default="", help="switches the test API on, for whoever knows this key")
    options = parser.parse_args(arguments)
    issuer = (options.public_url or f"http://{options.host}:{options.port}").rstrip("/")
    config = Config(issuer, options.seed, options.state, options.admin_key, options.fdx)
    try:
        listening = socket.create_server((options.host, options.port))
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        raise SystemExit(f"The sandbox bank can't listen on {options.host}:{options.port}: {why}") from error
    app = create_app(config)

    @app.after_server_start
    async def announce(*_: object) -> None:
        print(f"Sandbox bank (no real money) at {issuer}, FDX at {issuer}/fdx/v{options.fdx}", flush=True)

    app.run(sock=listening, access_log=False, motd=False)


if __name__ == "__main__":
    main()
