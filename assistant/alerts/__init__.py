"""What the assistant says first: fraud alerts, and the alerts people thank you for.

A purchase goes through this room once: **watch** asks the bank what is new, **seen** knows which of it is (a pending
item that posts, a repeated or reused id, is no second purchase), **detectors** say what is worth telling, and one
commit keeps what was seen together with the alerts found and their places in the **outbox**. From there **delivery**
brings each to one channel, once. The customer's yes or no comes back to the **desk**, and teaches the **score**.

For other rooms:

- ``actions`` use ``desk.AlertDesk``: ``waiting`` (what could not be sent and is told in the next conversation),
  ``told``, ``question`` (the alert a "no, that wasn't me" is about), ``get``, ``answer``, ``take_back``;
  and ``preferences.PreferenceDesk``: ``of``, ``switch``, ``set_threshold``, ``set_channels``, ``set_quiet``,
  ``set_cap``.
- ``channels`` implement ``sender.AlertSender``; the worker is told of it by name (``__main__``, ``--sender``), because
  channels know alerts and not the other way round.

Nothing is read of a bank without a live consent to alerts there (customers.gate), nothing is sent on a channel
without one for that channel.
"""
