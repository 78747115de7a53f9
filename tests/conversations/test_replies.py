"""Every sentence of tests/sentences, answered word for word, for demo customers on a fixed day.

The replies are in tests/sentences/replies; `make replies` records those that are missing, a person reads them.
"""

from __future__ import annotations

import pytest
from support.assistant import Assistant
from support.replies import Expected, answer, expected, files
from support.sentences import sentences

pytestmark = [pytest.mark.conversation, pytest.mark.timeout(600)]

EXPECTED = [one for path in files() for one in expected(path)]
INTENTS = sorted({one.intent for one in EXPECTED})
#: The share of sentences that has a reply; the others are not understood yet (test_sentences.py prints them).
ANSWERED = 0.97
#: Intents whose replies are still to be recorded and read.
MISSING = frozenset({"out_of_scope"})


def test_every_reply_is_that_of_a_sentence_and_nearly_every_sentence_has_one() -> None:
    said = {(sentence.intent, sentence.text) for sentence in sentences()}
    answered = [(one.intent, one.says) for one in EXPECTED]
    assert len(set(answered)) == len(answered)
    assert set(answered) - said == set()
    assert {intent for intent, _ in said} - MISSING == set(INTENTS) - MISSING
    wanted = {one for one in said if one[0] not in MISSING}
    missed = wanted - {*answered}
    assert len(missed) <= (1 - ANSWERED) * len(wanted), f"make replies records these: {sorted(missed)}"


@pytest.mark.parametrize("intent", INTENTS)
def test_the_replies(intent: str, assistant: Assistant) -> None:
    wrong = {}
    for one in EXPECTED:
        if one.intent == intent and (said := answer(assistant, one.asked, one.says)) != one.reply:
            wrong[one.says] = _differs(one, said)
    assert wrong == {}


def _differs(one: Expected, said: str) -> str:
    after = f" after {one.asked.after}" if one.asked.after else ""
    return f"{one.asked.customer}{after} expected\n{one.reply}\nand was told\n{said}"
