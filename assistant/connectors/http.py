"""The one way a request leaves for a bank: pooled, bounded in time and size, allow-listed, never logged in full."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta, timezone
from decimal import Decimal
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NoReturn

import pybreaker
import requests
import urllib3

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable, RateLimited
from assistant.connectors.profiles import BankProfile, ProfileError, check_egress
from assistant.connectors.watched import WatchedAdapter

logger = logging.getLogger(__name__)

#: Tries of one GET, the first included.
ATTEMPTS = 3
#: Seconds before the second try, doubled for the third; each is cut by a random half so that many
#: customers of one recovering bank do not return in step.
FIRST_PAUSE = 0.25
#: HTTP answers after which the same GET may do better: the bank's edge, not its word about this customer.
TRANSIENT = frozenset({429, 502, 503, 504})
#: Failed calls in a row after which a bank is left alone, and for how many seconds.
BREAKER_FAILURES = 5
BREAKER_RESET = 20.0
POOL_SIZE = 32
_CHUNK = 65_536


class Deadline:
    """A moment on the monotonic clock by which a question must be answered, retries and pages included."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def left(self) -> float:
        """Seconds that remain; 0.0 when it has passed."""
        return max(0.0, self._end - self._monotonic())


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bank answered: the status, the headers (any case) and the body. The repr shows no content."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def __repr__(self) -> str:
        return f"Answer(status={self.status}, {len(self.body)} bytes)"

    def json(self) -> Any:
        """The body with exact numbers (Decimal). Raises ValueError when it is not JSON."""
        return json.loads(self.body, parse_float=Decimal, parse_constant=_no_constant)


class _NoImplicitAuth(requests.auth.AuthBase):
    """Keeps requests from looking for credentials in a .netrc file, which would replace our bearer."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class BankHttp:
    """One bank's client, shared by all its customers and safe to use from many threads.

    Keeps connections, and the circuit breaker; nothing of any customer (cookies are refused). TLS is always
    verified, redirects are never followed, the environment (proxies, .netrc) is ignored.
    """

    def __init__(
        self,
        profile: BankProfile,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.profile = profile
        self._sleep = sleep
        self._monotonic = monotonic
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = WatchedAdapter(pool_connections=4, pool_maxsize=POOL_SIZE, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)
        self._breaker = pybreaker.CircuitBreaker(
            fail_max=BREAKER_FAILURES,
            reset_timeout=BREAKER_RESET,
            exclude=[lambda error: not isinstance(error, (Unreachable, _Overloaded))],
            throw_new_error_on_trip=False,
            name=profile.id,
        )

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds, self._monotonic)

    def get(self, url: str, *, params: Mapping[str, str], headers: Callable[[], Mapping[str, str]],
            deadline: Deadline, operation: str) -> Answer:  # fmt: skip
        """Ask, again where that is safe. ``headers`` is called for each try (a new interaction id).

        Any answer that is not transient comes back, whatever its status. Raises BankUnavailable (also while
        the breaker is open) and RateLimited. ``operation`` names the call in the log; the URL never is.
        """
        return self._guarded(lambda: self._attempts(url, params, headers, deadline, operation))

    def send(self, method: str, url: str, *, headers: Mapping[str, str], deadline: Deadline, operation: str,
             form: Mapping[str, str] | None = None, json_body: Any = None) -> Answer:  # fmt: skip
        """Send once, never again: for what may have had its effect although the answer was lost."""
        return self._guarded(
            lambda: self._once(method, url, {}, headers, deadline, operation, form=form, json_body=json_body)
        )

    def insist(self, method: str, url: str, *, headers: Callable[[], Mapping[str, str]], deadline: Deadline,
               operation: str, json_body: Any = None) -> Answer:  # fmt: skip
        """As ``get``, for a call that has the same effect however often it arrives: one that says how something shall
        be, or one that carries an idempotency key."""
        return self._guarded(lambda: self._attempts(url, {}, headers, deadline, operation, method, json_body))

    def _guarded(self, call: Callable[[], Answer]) -> Answer:
        try:
            # Not breaker.call(): that holds the breaker's lock for the whole call, one customer at a time.
            with self._breaker.calling():
                answer = call()
                if answer.status in (502, 503, 504):
                    raise _Overloaded(answer)
                return answer
        except _Overloaded as overloaded:
            return overloaded.answer
        except pybreaker.CircuitBreakerError as error:
            raise BankUnavailable(
                "left alone after repeated failures", bank_id=self.profile.id, code="circuit_open"
            ) from error

    def _attempts(self, url: str, params: Mapping[str, str], headers: Callable[[], Mapping[str, str]],
                  deadline: Deadline, operation: str,
                  method: str = "GET", json_body: Any = None) -> Answer:  # fmt: skip
        for attempt in range(ATTEMPTS):
            last = attempt == ATTEMPTS - 1
            # Jitter spreads load; it guards nothing, so the plain generator will do.
            pause = FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311
            try:
                answer = self._once(method, url, params, headers(), deadline, operation, json_body=json_body)
            except Unreachable:
                if last or deadline.left() <= pause:
                    raise
            else:
                if answer.status not in TRANSIENT:
                    return answer
                wait = retry_after(answer.headers)
                if wait is not None:
                    pause = wait
                if last or deadline.left() <= pause:
                    if answer.status == 429:
                        raise self._rate_limited(wait)
                    return answer
            self._sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _rate_limited(self, wait: float | None) -> RateLimited:
        retry_at = None if wait is None else clock.now() + timedelta(seconds=wait)
        return RateLimited("too many requests", bank_id=self.profile.id, code="429", retry_at=retry_at)

    def _once(self, method: str, url: str, params: Mapping[str, str], headers: Mapping[str, str], deadline: Deadline,
              operation: str, form: Mapping[str, str] | None = None, json_body: Any = None) -> Answer:  # fmt: skip
        bank = self.profile.id
        try:
            check_egress(self.profile, url)
        except ProfileError as error:
            logger.error("bank=%s operation=%s refused: host not allowed", bank, operation)
            raise BankUnavailable("host not allowed", bank_id=bank, code="egress_refused") from error
        left = deadline.left()
        if left <= 0:
            raise BankUnavailable("no time left", bank_id=bank, code="deadline", slow=True)
        try:
            with self._session.request(
                method, url, params=params, headers=headers, data=form, json=json_body, auth=_NoImplicitAuth(),
                timeout=(min(self.profile.connect_timeout, left), left),
                allow_redirects=False, stream=True, verify=True,
            ) as response:  # fmt: skip
                body = self._read(response.raw, deadline)
                answer = Answer(response.status_code, response.headers, body)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            self._unreachable(operation, error, slow=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            self._unreachable(operation, error, slow=deadline.left() <= 0)
        if 300 <= answer.status < 400:
            raise BankUnavailable("redirect not followed", bank_id=bank, code=f"http_{answer.status}")
        logger.debug("bank=%s operation=%s status=%d bytes=%d", bank, operation, answer.status, len(answer.body))
        return answer

    def _unreachable(self, operation: str, error: Exception, *, slow: bool) -> NoReturn:
        # The exception's own text can hold the URL with its account id and its cursor: only its type is said.
        kind = type(error).__name__
        logger.warning("bank=%s operation=%s failed: %s", self.profile.id, operation, kind)
        raise Unreachable(kind, bank_id=self.profile.id, code="timeout" if slow else "transport", slow=slow) from None

    def _read(self, raw: Any, deadline: Deadline) -> bytes:
        """The whole body, or an error: too large, too slow (a drip of bytes resets a socket's own time-out,
        so a timer ends it), or cut short."""
        body = bytearray()
        watch = threading.Timer(deadline.left(), _hang_up, (raw,))
        watch.daemon = True
        watch.start()
        try:
            while chunk := raw.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self.profile.max_body_bytes:
                    raise BankUnavailable("answer too large", bank_id=self.profile.id, code="too_large")
        finally:
            watch.cancel()
        if deadline.left() <= 0:
            raise urllib3.exceptions.TimeoutError("deadline passed")
        if raw.length_remaining:
            raise urllib3.exceptions.HTTPError("answer cut short")
        return bytes(body)


class Unreachable(BankUnavailable):
    """No whole answer came: connection refused or cut, or time-out."""


class _Overloaded(BankUnavailable):
    """Carries a 502, 503 or 504 past the circuit breaker, which must count it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.answer = answer


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by Retry-After (RFC 9110 10.2.3: seconds or a date); None when absent or unreadable."""
    value = (headers.get("Retry-After") or "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return max(0.0, (moment - clock.now()).total_seconds())


def _hang_up(raw: Any) -> None:
    try:
        raw.shutdown()
    except (OSError, ValueError, RuntimeError) as error:
        logger.debug("already closed: %s", type(error).__name__)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
