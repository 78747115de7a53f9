"""A bank to develop against: FDX over HTTP with OAuth, believable customers, faults on demand.

It stands alone: nothing here is used by the assistant except over HTTP (and ``demo``, which plays the
customer at the bank's login page). It holds no real person's data. Run it with ``python -m assistant.sandbox``.

The token answer carries the consent's id as ``fdxConsentId`` and as ``consent_id``.
"""
