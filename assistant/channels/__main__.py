"""The hosted pages on a server of their own: ``python -m assistant.channels --port 5006``.

Rasa serves them beside its channels; only its shell, which has no channel but the terminal, does not.
"""

from __future__ import annotations

import argparse

from rasa.core.channels.channel import register
from sanic import Sanic

from assistant.channels.pages import HostedPages
from assistant.guarded import guard_process


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m assistant.channels", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    guard_process()
    app = Sanic("hosted_pages", configure_logging=False)
    register([HostedPages()], app, route="/")
    app.run(options.host, options.port, access_log=False, motd=False)


if __name__ == "__main__":
    main()
