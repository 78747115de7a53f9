"""What differs from bank to bank, as data: one BankProfile per entry of banks.yml.

A value may say ``${NAME}`` or ``${NAME:-default}``: it is read from the environment when profiles are
loaded. Secrets are never written in a profile; it names the environment variable that holds them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)(?::-([^}]*))?\}")
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class ProfileError(ValueError):
    """A profile is wrong or incomplete. For the operator: says which bank and which field, never a secret."""


class ClientAuth(str, Enum):
    """How we prove who we are at the token endpoint (RFC 6749 2.3, RFC 8705)."""

    NONE = "none"  #: public client: PKCE alone
    BASIC = "basic"
    POST = "post"


class Bearer(str, Enum):
    """Which token goes into the Authorization header of data calls."""

    ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a field, no secret
    ID_TOKEN = "id_token"  # noqa: S105


class Paging(str, Enum):
    """What to follow when an answer offers both a cursor and a link."""

    CURSOR = "cursor"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class OAuthProfile:
    """The bank's OAuth 2 endpoints and our place in them.

    ``client_id`` is literal or from the environment; ``client_secret_env`` names a variable.
    ``authorization_details`` (RFC 9396) is sent as it stands when ``use_par`` (RFC 9126) is set.
    ``redirect_uri`` must equal what is registered with the bank, byte for byte. ``issuer`` is compared
    with ``iss`` in the callback (RFC 9207) when not "". ``refresh_days`` is how long the bank says a refresh
    token lives, None when it does not say; token lifetimes themselves always come from the bank's answers.
    """

    authorize_url: str = ""
    token_url: str = ""
    revoke_url: str = ""
    par_url: str = ""
    jwks_url: str = ""
    issuer: str = ""
    scope: str = ""
    client_id: str = ""
    client_secret_env: str = ""
    client_auth: ClientAuth = ClientAuth.NONE
    bearer: Bearer = Bearer.ACCESS_TOKEN
    redirect_uri: str = ""
    use_par: bool = False
    authorization_details: tuple[Mapping[str, Any], ...] = ()
    refresh_days: int | None = None

    def client_secret(self, env: Mapping[str, str] = os.environ) -> str:
        """The secret itself. Raises ProfileError when the variable is not set; "" for a public client."""
        if self.client_auth is ClientAuth.NONE:
            return ""
        secret = env.get(self.client_secret_env, "")
        if not secret:
            raise ProfileError(f"set {self.client_secret_env or 'client_secret_env'} for this bank's client secret")
        return secret


@dataclass(frozen=True, slots=True)
class BankProfile:
    """One bank, or one aggregator's way to a bank.

    ``hosts`` is the allow-list of egress: nothing is ever sent to a host that is not in it. Each is a host
    with its port, if not the default; a URL stands for its host. ``needs_agreement`` says honestly what
    stands between this profile and real data; "" when anybody may use it. ``unpublished`` lists what the
    bank does not publish, and so is left empty or to the environment.

    Paths are appended to ``base_url``; ``{account_id}``, ``{consent_id}``, ``{card_id}`` and ``{dispute_id}`` are
    filled in, percent-encoded. Those of cards, disputes and subscriptions are "" where the bank has none: the
    capability goes with the path (see fdx_acting.py for the shapes). ``notice_keys_url`` is where the keys are that the
    bank signs notifications with (a JWK set, RFC 7517).
    ``headers`` go with every data call; the value ``{interaction_id}`` becomes that call's UUID.
    ``account_details_in_list``: the account list carries balances when asked for ``resultType=details``.
    ``window_days``: longest range of one transactions call, 0 for no limit. ``history_days``: how far back
    the bank keeps history, 0 when not said. ``max_pages`` is a cap for the whole history asked for; what is
    longer fails. Deadlines are seconds for one question, all its pages and retries included.
    """

    id: str
    name: str
    base_url: str = ""
    hosts: tuple[str, ...] = ()
    api: str = "fdx"
    fdx_version: str = ""
    needs_agreement: str = ""
    unpublished: tuple[str, ...] = ()
    oauth: OAuthProfile = field(default_factory=OAuthProfile)
    headers: Mapping[str, str] = field(default_factory=dict)
    interaction_header: str = "x-fapi-interaction-id"
    accounts_path: str = "/accounts"
    account_path: str = "/accounts/{account_id}"
    transactions_path: str = "/accounts/{account_id}/transactions"
    consent_revocation_path: str = ""
    cards_path: str = ""
    card_status_path: str = ""
    disputes_path: str = ""
    dispute_withdrawal_path: str = ""
    subscriptions_path: str = ""
    notice_keys_url: str = ""
    account_details_in_list: bool = True
    account_list_params: Mapping[str, str] = field(default_factory=dict)
    from_param: str = "startTime"
    to_param: str = "endTime"
    limit_param: str = "limit"
    page_size: int = 100
    paging: Paging = Paging.CURSOR
    offset_param: str = "offset"
    page_key_param: str = "pageKey"
    max_pages: int = 100
    window_days: int = 0
    history_days: int = 0
    deadline: float = 8.0
    history_deadline: float = 20.0
    connect_timeout: float = 3.0
    max_body_bytes: int = 16_000_000

    def missing(self) -> tuple[str, ...]:
        """What must still be set before this bank can be used: environment variables, or fields."""
        names = [name for text in _texts(self) for name, _ in _VARIABLE.findall(text)]
        secret = self.oauth.client_secret_env
        if self.oauth.client_auth is not ClientAuth.NONE and not os.environ.get(secret):
            names.append(secret or "oauth.client_secret_env")
        names += [name for name in ("base_url", "hosts") if not getattr(self, name)]
        names += [f"oauth.{n}" for n in ("authorize_url", "token_url", "client_id") if not getattr(self.oauth, n)]
        return tuple(dict.fromkeys(names))


def parse_profile(bank_id: str, entry: Mapping[str, Any], env: Mapping[str, str]) -> BankProfile:
    """One entry of banks.yml as a profile. Raises ProfileError for an unknown key, a wrong type, a URL
    whose host is not in ``hosts``, or plain HTTP to anywhere but this machine."""
    values = {key: _from_environment(value, env) for key, value in entry.items()}
    oauth = OAuthProfile(**_typed(bank_id, OAuthProfile, dict(values.pop("oauth", None) or {})))
    values["hosts"] = [_host(host) for host in values.get("hosts") or ()]
    profile = BankProfile(**_typed(bank_id, BankProfile, {"id": bank_id, "name": bank_id, **values, "oauth": oauth}))
    for url in _urls(profile):
        check_egress(profile, url)
    return profile


def check_egress(profile: BankProfile, url: str) -> None:
    """The one gate of everything sent to banks. Raises ProfileError unless ``url`` is HTTPS (HTTP on this
    machine only) and its host is in ``profile.hosts``."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if parts.scheme != "https" and not (parts.scheme == "http" and host in _LOOPBACK):
        raise ProfileError(f"{profile.id}: only https, or http to this machine")
    if parts.username is not None or parts.password is not None:
        raise ProfileError(f"{profile.id}: no user name in a URL")
    if parts.netloc.lower() not in profile.hosts:
        raise ProfileError(f"{profile.id}: host {parts.netloc} is not in the profile's hosts")


def _host(given: Any) -> str:
    text = str(given)
    if _VARIABLE.search(text):
        return text  # not set yet; BankProfile.missing names it
    return (urlsplit(text).netloc if "://" in text else text).lower()


def _typed(bank_id: str, kind: type[Any], values: dict[str, Any]) -> dict[str, Any]:
    known = {f.name: f for f in fields(kind)}
    for key, value in list(values.items()):
        if key not in known:
            raise ProfileError(f"{bank_id}: unknown key {key!r}")
        wanted = str(known[key].type)
        try:
            values[key] = _convert(wanted, value)
        except (TypeError, ValueError) as error:
            raise ProfileError(f"{bank_id}: {key} should be {wanted}") from error
    return values


_ENUMS: Mapping[str, type[Enum]] = {"ClientAuth": ClientAuth, "Bearer": Bearer, "Paging": Paging}


def _convert(wanted: str, value: Any) -> Any:
    if wanted in _ENUMS:
        return _ENUMS[wanted](value)
    if wanted == "str" and isinstance(value, str):
        return value
    if wanted == "bool" and isinstance(value, bool):
        return value
    if wanted in ("int", "int | None", "float") and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value) if wanted == "float" else int(value)
    if wanted.startswith("tuple") and isinstance(value, (list, tuple)):
        return tuple(value)
    if wanted.startswith("Mapping") and isinstance(value, Mapping):
        return dict(value)
    if wanted == "OAuthProfile":
        return value
    raise ValueError(wanted)


def _from_environment(value: Any, env: Mapping[str, str]) -> Any:
    """Fill ``${NAME}``; one that is neither set nor has a default stays, so that ``missing`` can name it."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda m: env.get(m[1]) or (m[2] if m[2] is not None else m[0]), value)
    if isinstance(value, Mapping):
        return {key: _from_environment(item, env) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_from_environment(item, env) for item in value]
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, (BankProfile, OAuthProfile)):
        for item in fields(value):
            yield from _texts(getattr(value, item.name))


def _urls(profile: BankProfile) -> Iterator[str]:
    oauth = profile.oauth
    for url in (
        profile.base_url,
        oauth.authorize_url,
        oauth.token_url,
        oauth.revoke_url,
        oauth.par_url,
        oauth.jwks_url,
        profile.notice_keys_url,
    ):
        if url and not _VARIABLE.search(url):
            yield url
