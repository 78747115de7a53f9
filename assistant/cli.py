"""The tellerline command: runs the assistant on one machine, and looks after the installation."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from assistant.banking.errors import BankingError
from assistant.processes import Processes, Program, StartFailed, free_port
from assistant.progress import Step
from assistant.settings import Settings, SettingsError, load_settings
from assistant.training import TrainingFailed, ensure_model, model_path

DEMO_CUSTOMERS = ("maya", "jordan", "rivera", "alex")
#: A log-in that no demo customer has: whoever talks is somebody new.
NEWCOMER = "nobody"
_SANDBOX_PORT = 8801
_PAGES_PORT = 5006
#: Runs a module with its connections limited and its log redacted from the first line on.
_GUARDED = (sys.executable, "-m", "assistant.guarded")


def main(arguments: Sequence[str] | None = None) -> int:
    # Rasa reports crashes and usage to third parties by default: off in every process started from here.
    os.environ["RASA_TELEMETRY_ENABLED"] = "false"
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest and options.command is not bank:
        parser.error(f"unknown arguments: {' '.join(rest)}")
    options.rest = rest
    os.chdir(project_root())
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except (SettingsError, StartFailed, TrainingFailed) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # how one leaves: no trace
        print(flush=True)
        return 130


def project_root() -> Path:
    """The bot to run: the one in the current folder, else the one this command was installed with."""
    here = Path.cwd()
    if (here / "config.yml").exists() and (here / "domain.yml").exists():
        return here
    return Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Plan:
    """One run on this machine: the settings with ports that are free, the model, and whose accounts it shows."""

    settings: Settings
    model: Path
    customer: str

    @property
    def logs(self) -> Path:
        return self.settings.home / "logs"

    @property
    def endpoints(self) -> Path:
        return self.settings.home / "endpoints.yml"

    @property
    def environment(self) -> dict[str, str]:
        """What the processes must know to agree with us. Secrets are not in it: each reads them where we did."""
        return {
            "RASA_TELEMETRY_ENABLED": "false",
            "TELLERLINE_HOME": str(self.settings.home),
            "TELLERLINE_SANDBOX_URL": self.settings.sandbox_url,
            "TELLERLINE_ACTION_PORT": str(self.settings.action_port),
            "TELLERLINE_RASA_PORT": str(self.settings.rasa_port),
            "TELLERLINE_DEMO_CUSTOMER": self.customer,
            "TELLERLINE_PUBLIC_URL": self.settings.public_address,
            # TensorFlow, which Rasa imports, greets on stderr; nothing here computes with it.
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONUNBUFFERED": "1",
        }

    def sandbox(self) -> Program:
        port = self.settings.sandbox_url.rpartition(":")[2]
        state = self.settings.home / "sandbox.sqlite"
        return Program(
            "sandbox bank",
            [sys.executable, "-m", "assistant.sandbox", "--port", port, "--state", str(state)],
            f"{self.settings.sandbox_url}/.well-known/oauth-authorization-server",
            self.environment,
        )

    def action_server(self) -> Program:
        port = self.settings.action_port
        return Program(
            "action server",
            [*_GUARDED, "rasa_sdk", "--actions", "actions", "--port", str(port)],
            f"http://127.0.0.1:{port}/health",
            {**self.environment, "SANIC_HOST": os.environ.get("SANIC_HOST", "127.0.0.1")},
        )

    def alerts(self) -> Program:
        """Watches the banks of whoever agreed to alerts. Channels that can be written to first are named here."""
        return Program("alerts worker", [*_GUARDED, "assistant.alerts"], environment=self.environment)

    def pages(self) -> Program:
        """The hosted pages by themselves: Rasa's shell serves none."""
        port = urlsplit(self.settings.public_url).port
        return Program(
            "pages for linking",
            [*_GUARDED, "assistant.channels", "--port", str(port)],
            f"{self.settings.public_url}/link/pages.css",
            self.environment,
        )

    def rasa(self, verb: str, interface: str = "127.0.0.1") -> Program:
        port = self.settings.rasa_port
        command = [*_GUARDED, "rasa", verb, "--model", str(self.model), "--endpoints", str(self.endpoints)]
        quiet = {**self.environment, "LOG_LEVEL": "WARNING", "PYTHONWARNINGS": "ignore"}
        return Program(
            "assistant",
            [*command, "--interface", interface, "--port", str(port)],
            f"http://127.0.0.1:{port}/",
            quiet,
        )


def prepare(customer: str, *, with_sandbox: bool, own_pages: bool = False) -> Plan:
    """Trains if needed, chooses ports, and writes the endpoints file. Raises what those raise."""
    settings = load_settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    model = ensure_model(Path.cwd(), settings.home / "logs")
    sandbox_url = settings.sandbox_url
    if with_sandbox:
        wanted = urlsplit(sandbox_url).port or _SANDBOX_PORT
        sandbox_url = f"http://127.0.0.1:{free_port(wanted, 'sandbox bank')}"
    action_port = free_port(settings.action_port, "action server")
    rasa_port = free_port(settings.rasa_port, "assistant", avoid=(action_port,))
    address = settings.public_address
    if own_pages:
        address = f"http://127.0.0.1:{free_port(_PAGES_PORT, 'pages for linking', avoid=(action_port, rasa_port))}"
    plan = Plan(
        replace(
            settings, sandbox_url=sandbox_url, action_port=action_port, rasa_port=rasa_port, public_address=address
        ),
        model,
        customer,
    )
    # This process links the demo customer, and reads the same settings.
    os.environ.update(plan.environment)
    write_endpoints(plan.settings, Path("endpoints.yml"), plan.endpoints)
    return plan


def write_endpoints(settings: Settings, source: Path, target: Path) -> None:
    """The project's endpoints, with this run's action server and the secret it asks for. Readable by us alone."""
    endpoints = dict(YAML(typ="safe").load(source.read_text(encoding="utf-8")) or {}) if source.exists() else {}
    endpoints["action_endpoint"] = {
        **(endpoints.get("action_endpoint") or {}),
        "url": f"http://127.0.0.1:{settings.action_port}/webhook",
        "headers": {"X-Tellerline-Secret": settings.action_secret},
    }
    draft = target.with_suffix(".tmp")
    draft.unlink(missing_ok=True)
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(endpoints, file, indent=2)  # JSON is YAML
    os.replace(draft, target)


def link_demo(plan: Plan) -> None:
    """Let this demo customer be who the shell and REST talk to, linked to the sandbox by its real login.

    Raises StartFailed.
    """
    # The database and the bank's client take half a second to import, which the other commands need not wait for.
    from requests import RequestException

    from assistant.customers.demo import ensure_demo_customer
    from assistant.customers.oauth_link import LinkRefused

    with Step(f"Linking {plan.customer.title()}'s accounts at the sandbox bank"):
        try:
            ensure_demo_customer(plan.settings, plan.customer)
        except (BankingError, LinkRefused, RequestException, RuntimeError) as problem:
            raise StartFailed(
                f"The sandbox bank did not let {plan.customer.title()} in ({type(problem).__name__}: {problem}). "
                f"If it goes on: remove {plan.settings.home / 'sandbox.sqlite'} and start again."
            ) from problem


def shell(options: argparse.Namespace) -> int:
    plan = prepare(NEWCOMER if options.new_customer else options.customer, with_sandbox=True, own_pages=True)
    with Processes(plan.logs) as processes:
        processes.start(plan.sandbox(), plan.action_server(), plan.pages())
        if options.new_customer:
            print('You are somebody new. Ask "what\'s my balance", then say "connect my bank" and open the page it')
            print(
                'names; without a browser: tellerline visit ADDRESS, in another terminal. Then say "done".', flush=True
            )
        else:
            link_demo(plan)
            print(f"You are {options.customer.title()}, a customer of the sandbox bank.")
            print('Try "what\'s my balance", "how much did I spend on food last month" or "help".', flush=True)
        assistant = plan.rasa("shell")
        status = processes.foreground(assistant)
        if status not in (0, 130):
            raise StartFailed(
                f"The assistant stopped (exit status {status}). {plan.logs}:\n{processes.tail(assistant)}"
            )
    return 0


def visit(options: argparse.Namespace) -> int:
    """A page of ours, or the bank's sign-in behind it, in this terminal."""
    from getpass import getpass

    from requests import RequestException

    from assistant.text_browser import NotReadable
    from assistant.text_browser import visit as open_page

    try:
        open_page(options.address, print, input, getpass)
    except (NotReadable, RequestException) as problem:
        # Not its message: that of requests quotes the address, which is a secret.
        detail = str(problem) if isinstance(problem, NotReadable) else type(problem).__name__
        raise StartFailed(f"The page can't be shown here: {detail}. Open it in a browser.") from None
    return 0


def serve(options: argparse.Namespace) -> int:
    settings = load_settings()
    with_sandbox = not settings.production
    plan = prepare(options.customer, with_sandbox=with_sandbox)
    with Processes(plan.logs) as processes:
        processes.start(*([plan.sandbox()] if with_sandbox else []), plan.action_server())
        if with_sandbox:
            link_demo(plan)
        processes.start(plan.rasa("run", options.interface), plan.alerts())
        print(f"Serving on http://{options.interface}:{plan.settings.rasa_port}; logs in {plan.logs}. Ctrl-C stops it.")
        processes.watch()
    return 0


def train(options: argparse.Namespace) -> int:
    settings = load_settings()
    known = model_path(Path.cwd()).exists() and not options.force
    model = ensure_model(Path.cwd(), settings.home / "logs", force=options.force)
    print(f"{'Nothing has changed; the model is' if known else 'Trained'} {model.relative_to(Path.cwd())}")
    return 0


def bank(options: argparse.Namespace) -> int:
    """In place of this process, so that its signals and output are its own."""
    arguments = options.rest or ["--port", str(_SANDBOX_PORT)]
    os.execv(sys.executable, [sys.executable, "-m", "assistant.sandbox", *arguments])


def doctor(_options: argparse.Namespace) -> int:
    from assistant.doctor import examine

    return examine(Path.cwd())


def audit(_options: argparse.Namespace) -> int:
    """Walks the whole ledger of consents; names every entry that was changed, moved or taken out."""
    from assistant.customers.ledger import Ledger
    from assistant.storage.open import open_storage

    storage = open_storage(load_settings())
    verdict = Ledger(storage.database, storage.keys).verify()
    for breach in verdict.breaches:
        print(f"Entry {breach.seq} {breach.what}", file=sys.stderr)
    print(f"{verdict.entries} entries, {verdict.erased} of them erased.", end=" ")
    print("The ledger is sound." if verdict.sound else "The ledger is NOT sound.")
    return 0 if verdict.sound else 1


def privacy(_options: argparse.Namespace) -> int:
    """Checks this installation against the promise of docs/privacy.md."""
    from assistant.customers.service import open_customers
    from assistant.privacy_report import report

    settings = load_settings()
    found = report(open_customers(settings), settings)
    for line in found.lines():
        print(line)
    return 0 if found.kept else 1


def messenger(options: argparse.Namespace) -> int:
    """Sets up the Messenger page of credentials.yml, or checks it."""
    import asyncio

    from assistant.channels.graph_errors import GraphError
    from assistant.channels.messenger_setup import check, read_config, set_up

    settings = load_settings()
    config = read_config(Path("credentials.yml"))
    try:
        if options.what == "check":
            return 0 if asyncio.run(check(config, settings, print)) else 1
        agrees = (lambda: True) if options.yes else lambda: input("Change it? [y/N] ").strip().lower() in ("y", "yes")
        return 0 if asyncio.run(set_up(config, settings, print, agrees)) else 1
    except GraphError as error:
        raise StartFailed(f"Graph refused: {error}") from None


def alexa(options: argparse.Namespace) -> int:
    """What Amazon's console takes: the interaction model, or the skill's manifest."""
    from assistant.channels.alexa_model import interaction_model, manifest
    from assistant.channels.spoken_intents import spoken_intents

    try:
        model = interaction_model(spoken_intents(Path.cwd() / "data"), options.invocation)
    except ValueError as problem:
        raise SettingsError(str(problem)) from None
    skill = manifest(load_settings().public_url, options.invocation.title(), options.invocation)
    print(json.dumps(model if options.what == "model" else skill, indent=2, ensure_ascii=False))
    return 0


def keys(_options: argparse.Namespace) -> int:
    """Wraps all customers' keys by another master key. The key comes by the environment: command lines are seen."""
    from assistant.storage.open import rotate_master_key

    settings = load_settings()
    text = os.environ.get("TELLERLINE_NEW_MASTER_KEY", "").strip()
    if not text:
        print("Stop everything, then set TELLERLINE_NEW_MASTER_KEY: openssl rand -base64 32", file=sys.stderr)
        return 1
    new = load_settings({**os.environ, "TELLERLINE_MASTER_KEY": text}).master_key
    print(f"{rotate_master_key(settings, new)} keys are wrapped by the new master key.")
    print(f"Now put it in place of the old one (TELLERLINE_MASTER_KEY, or {settings.home}/secrets/master_key).")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tellerline", description="A banking assistant for chat and voice, on Rasa.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str, command: Callable[[argparse.Namespace], int], text: str, own_help: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text, add_help=own_help)
        sub.set_defaults(command=command)
        return sub

    talk = add("shell", shell, "Talk to the assistant here, with a sandbox bank and a demo customer.")
    everything = add("serve", serve, "Run what channels need; outside production with the sandbox bank too.")
    for sub in (talk, everything):
        sub.add_argument("--customer", choices=DEMO_CUSTOMERS, default="maya", help="the demo customer (default: maya)")
    talk.add_argument(
        "--new-customer", action="store_true", help="start with nobody linked, and link a bank by talking"
    )
    look = add("visit", visit, "Open a page for linking in this terminal, where there is no browser.")
    look.add_argument("address", help="the address the assistant gave")
    everything.add_argument(
        "--interface", default="127.0.0.1", help="address to serve on (default: this machine only; put nginx in front)"
    )
    learn = add("train", train, "Train the model, if anything it learns from has changed.")
    learn.add_argument("--force", action="store_true", help="train even if nothing has changed")
    add("doctor", doctor, "Check this installation and say what to fix.")
    add("bank", bank, "Run the sandbox bank alone; its own options follow.", own_help=False)
    ledger = add("audit", audit, "Check the ledger of consents.")
    ledger.add_argument("what", choices=("verify",))
    promise = add("privacy", privacy, "Check this installation against its privacy promise.")
    promise.add_argument("what", choices=("report",))
    page = add("messenger", messenger, "Set up the Messenger page of credentials.yml (it asks first), or check it.")
    page.add_argument("what", choices=("setup", "check"))
    page.add_argument("--yes", action="store_true", help="change it without asking")
    skill = add("alexa", alexa, "Write what Alexa is taught: the interaction model, or the skill's manifest.")
    skill.add_argument("what", choices=("model", "manifest"))
    skill.add_argument(
        "--invocation", default="my tellerline", help="what people call the skill (default: my tellerline)"
    )
    ring = add("keys", keys, "Change the master key: TELLERLINE_NEW_MASTER_KEY holds the new one.")
    ring.add_argument("what", choices=("rotate",))
    return parser


if __name__ == "__main__":
    sys.exit(main())
