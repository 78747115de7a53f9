"""Sentences that the training data does not hold: the intent and what each names.

In the manner of Home Assistant's intents. How many may go wrong is written down; a list of those that did is printed.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from support.sentences import Sentence, matches, sentences

pytestmark = [pytest.mark.conversation, pytest.mark.timeout(600)]

#: Shares that have to be right: of all sentences, of each intent's, of those that name something.
ALL, EACH, NAMED = 0.96, 0.85, 0.97
#: How far accuracy may fall when sentences are typed or heard badly.
FALL = 0.03
#: Sentences of each intent.
LEAST = 60
#: Intents whose answer shows or changes something of the customer's.
_BANKING = re.compile(r"^(?:ask_(?!bot|advice)|move_money|dispute|link|disconnect|export|erase|stop_using|allow)")

ALL_SENTENCES = list(sentences())
#: Every second one is changed in each way: enough to see three points, in half the time.
CHANGED = ALL_SENTENCES[::2]
Parse = Callable[[str], dict[str, Any]]


def _plain(text: str) -> str:
    return re.sub(r"[^\w$]+", " ", text.lower().replace("'", "")).strip()


@pytest.fixture(scope="module")
def trained() -> dict[str, set[str]]:
    """Texts of the training data, and their intents."""
    from rasa.shared.importers.utils import training_data_from_paths

    texts: dict[str, set[str]] = defaultdict(set)
    for message in training_data_from_paths(["data/nlu"], "en").nlu_examples:
        texts[_plain(message.get("text"))].add(message.get("intent"))
    return texts


def test_no_sentence_is_in_the_training_data(trained: dict[str, set[str]]) -> None:
    assert [sentence.text for sentence in ALL_SENTENCES if _plain(sentence.text) in trained] == []


def test_no_training_text_has_two_intents(trained: dict[str, set[str]]) -> None:
    assert {text: intents for text, intents in trained.items() if len(intents) > 1} == {}


def test_every_intent_has_sentences(trained: dict[str, set[str]]) -> None:
    count = Counter(sentence.intent for sentence in ALL_SENTENCES)
    intents = {intent for intents in trained.values() for intent in intents}
    assert {intent: count[intent] for intent in intents if count[intent] < LEAST} == {}
    assert set(count) == intents
    assert [text for text, times in Counter(s.text for s in ALL_SENTENCES).items() if times > 1] == []


def _wrong(parse: Parse, chosen: list[Sentence], change: Callable[[str], str] = str) -> dict[str, list[str]]:
    wrong: dict[str, list[str]] = defaultdict(list)
    for sentence in chosen:
        understood = parse(change(sentence.text))["intent"]["name"]
        if understood != sentence.intent:
            wrong[sentence.intent].append(f"{change(sentence.text)!r}: {understood}")
    return wrong


@pytest.fixture(scope="module")
def wrong(parse: Parse) -> dict[str, list[str]]:
    return _wrong(parse, ALL_SENTENCES)


def test_intents(wrong: dict[str, list[str]]) -> None:
    count = Counter(sentence.intent for sentence in ALL_SENTENCES)
    right = 1 - sum(map(len, wrong.values())) / len(ALL_SENTENCES)
    print(
        f"{right:.1%} of {len(ALL_SENTENCES)} sentences",
        *(line for lines in wrong.values() for line in lines),
        sep="\n",
    )
    assert right >= ALL
    assert {intent: lines for intent, lines in wrong.items() if 1 - len(lines) / count[intent] < EACH} == {}


def test_what_is_out_of_scope_is_no_banking_request(parse: Parse) -> None:
    strays = [s for s in ALL_SENTENCES if s.intent == "out_of_scope"]
    taken = [f"{s.text!r}: {name}" for s in strays if _BANKING.match(name := parse(s.text)["intent"]["name"])]
    assert len(taken) <= len(strays) * 0.03, taken


def test_entities(parse: Parse) -> None:
    naming = [sentence for sentence in ALL_SENTENCES if sentence.entities]
    problems = {s.text: found for s in naming if (found := matches(s, parse(s.text)["entities"]))}
    print(*problems.items(), sep="\n")
    assert 1 - len(problems) / len(naming) >= NAMED


def _typo(text: str) -> str:
    """One slip in one longer word: two letters swapped, one dropped or one doubled. The same slip every time."""
    chance = random.Random(text)
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    if not long:
        return text
    place = chance.choice(long)
    word = words[place]
    i = chance.randrange(1, len(word) - 2)
    words[place] = chance.choice(
        [word[:i] + word[i + 1] + word[i] + word[i + 2 :], word[:i] + word[i + 1 :], word[:i] + word[i] + word[i:]]
    )
    return " ".join(words)


def _heard(text: str) -> str:
    """As a speech recogniser writes it: no punctuation, no apostrophes."""
    return re.sub(r"[^\w\s$€.]", "", text.lower())


CHANGES: dict[str, Callable[[str], str]] = {
    "typos": _typo,
    "no apostrophes": lambda text: text.replace("'", ""),
    "upper case": str.upper,
    "swapped case": lambda text: text.title().swapcase(),
    "heard": _heard,
    "punctuated": lambda text: text[:1].upper() + text[1:] + "?",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_bad_typing_and_hearing_cost_little(parse: Parse, change: Callable[[str], str]) -> None:
    before, after = (1 - sum(map(len, _wrong(parse, CHANGED, way).values())) / len(CHANGED) for way in (str, change))
    print(f"{before:.1%} before, {after:.1%} after")
    assert after >= before - FALL


@pytest.mark.parametrize(
    "text",
    ["", " ", "a" * 10_000, "what's my balance " * 600, "😀😀😀", "\x00\x01\x02", "我的余额是多少", "/ask_balance"],
)
def test_odd_input_is_answered(parse: Parse, text: str) -> None:
    assert "intent" in parse(text)
