"""Sends one of our answers by the Graph API: whether it may go, as what, and what its failure means."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Mapping
from typing import Any

from assistant.banking import clock
from assistant.channels.charts import draw
from assistant.channels.graph import Graph
from assistant.channels.graph_errors import GraphError, Treatment
from assistant.channels.messenger_policy import Template, Why, how
from assistant.channels.messenger_render import CHART, MAX_TEXT, with_picture, without_picture
from assistant.channels.sent import ARRIVED, Sent, closed, later, refused
from assistant.channels.text_split import split
from assistant.customers.inbox import Correspondent
from assistant.replies.said import SaidBar, SaidChart

logger = logging.getLogger(__name__)

#: Seconds before an answer that Graph could not take is tried anew.
RETRY_SECONDS = 2.0


class Sender:
    """For one page, on one event loop. ``answer`` is what Messenger.render and its like have written down."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._quiet_until = 0.0
        self._personas: dict[str, str] | None = None

    async def send(self, answer: Mapping[str, Any], who: Correspondent, number: int) -> Sent:
        """Raises GraphError when it may have arrived. ``number`` comes back with the echo."""
        psid = who.address.get("psid")
        if not psid:
            return closed("unknown")
        if (quiet := self._quiet_until - time.monotonic()) > 0:
            # Spread: hundreds of answers that have waited for the same moment must not go out in one.
            return later(quiet + random.uniform(0.0, 5.0), "the page is to be quiet")  # noqa: S311  # no secret
        template = Template(**answer["template"]) if "template" in answer else None
        rule = how(Why(answer["why"]), who.heard_at, clock.wall(), template=template is not None)
        if rule is None:
            # What a template has told already needs no telling of its own.
            return ARRIVED if answer.get("told_by_template") else closed("window")
        try:
            if rule.needs_template and template is not None:
                message: Mapping[str, Any] | None = template.message()
            else:
                message = await self._message(answer)
            if message is None:
                return ARRIVED
            await self.graph.send(str(psid), {**message, "metadata": str(number)}, **rule.fields, **self._as(answer))
        except GraphError as error:
            return self._became(error)
        return ARRIVED

    async def _message(self, answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
        message: Mapping[str, Any] = answer["message"]
        if "person" in answer:
            return await self._by_person(message, answer["person"])
        if CHART not in message:
            return message
        chart = SaidChart(message[CHART]["title"], tuple(SaidBar(**bar) for bar in message[CHART]["bars"]))
        try:
            picture = await asyncio.to_thread(draw, chart)
            return with_picture(message, await self.graph.upload(picture))
        except (GraphError, OSError) as error:
            # A courtesy: all of it stands in the text before.
            logger.warning("A chart was left out: %s", error)
            return without_picture(message)

    async def _by_person(self, message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
        """With the persona of this name, the message is shown as hers; without, it begins with her name."""
        if self._personas is None:
            self._personas = {name: number for number, name in (await self.graph.personas()).items()}
        if name in self._personas or "text" not in message:
            return message
        return {**message, "text": split(f"{name}: {message['text']}", MAX_TEXT)[0]}

    def _as(self, answer: Mapping[str, Any]) -> dict[str, str]:
        number = (self._personas or {}).get(answer.get("person", ""))
        return {"persona_id": number} if number else {}

    def _became(self, error: GraphError) -> Sent:
        if error.uncertain:
            raise error
        if error.treatment is Treatment.RETRY:
            return later(RETRY_SECONDS, str(error))
        if error.treatment is Treatment.WAIT:
            self._quiet_until = max(self._quiet_until, time.monotonic() + error.rule.seconds)
            return later(error.rule.seconds, str(error))
        if error.treatment is Treatment.KEEP:
            return closed("window")
        if error.treatment is Treatment.STOP:
            return closed("blocked")
        if error.treatment is Treatment.MEND:
            return closed("page")
        return refused(str(error))
