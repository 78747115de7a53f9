"""What recognisers write is read as what was said, and what people type is left alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.sentences import sentences

from assistant.voice.listening import as_typed


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        # As faster-whisper tiny.en and pocketsphinx wrote phrases of a bank's customers, clean and by telephone.
        ("Show my transactions over $42.50.", "Show my transactions over $42.50"),
        ("What's the balance of the card ending in 4,7,2,9?", "What's the balance of the card ending in 4729"),
        ("the account ending in 4, 7, 2, 9", "the account ending in 4729"),
        ("the account ending in 4-7-2-9", "the account ending in 4729"),
        ("The card ending in 4.729.", "The card ending in 4729"),
        ("the card ending in 4,729", "the card ending in 4729"),
        ("the card ending in for 729", "the card ending in 4729"),
        ("the card ending and 4729", "the card ending in 4729"),
        ("the card ending in for seven to nine", "the card ending in 4729"),
        ("ending in 47 29", "ending in 4729"),
        ("My code is 4, 7, 2, 9, 1, 8", "My code is 472918"),
        ("Hey my credit card bill", "pay my credit card bill"),
        ("Hey the rent.", "pay the rent"),
        ("Pay there", "hey there"),
        ("Hey, what's my balance?", "Hey, what's my balance"),
        ("What is my check in account balance?", "What is my checking account balance"),
        ("the vacation found balance", "the vacation fund balance"),
        ("How much did I spent on groceries?", "How much did I spend on groceries"),
        ("charges of $42 and 50 cents", "charges of $42.50"),
        ("charges of 42 dollars and 50 cents", "charges of $42.50"),
        ("more than $1, 200", "more than $1,200"),
        ("I forgot my pen number", "I forgot my PIN number"),
        ("when did I last pay calm cast", "when did I last pay Comcast"),
        ("um, what's uh my balance", "what's my balance"),
        ("Uh huh.", "Uh huh"),
        ("Mm-hmm.", "Mm-hmm"),
        ("[BLANK_AUDIO]", ""),
        (" (coughing) ", ""),
        ("♪ la la ♪", ""),
        ("...", ""),
        ("", ""),
    ],
)
def test_a_recognisers_habits(heard: str, meant: str) -> None:
    assert as_typed(heard) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "show purchases of 10, 20 and 30 dollars",
        "the last 4 transactions",
        "hey can you help me",
        "between $1,200 and $2,000",
        "what did I spend at Star Market",
        "since 3/4/2026",
        "for 729 dollars",
        "I found a charge I don't know",
    ],
)
def test_what_may_well_be_meant_is_left_alone(typed: str) -> None:
    assert as_typed(typed) == typed


def test_sentences_that_people_type_stay_as_they_are() -> None:
    changed = {
        sentence.text: heard
        for sentence in sentences()
        if (heard := as_typed(sentence.text)) != sentence.text.rstrip("?!. ")
    }
    assert changed == SAME_MEANING


SAME_MEANING = {
    "balance for the checking account ending in four seven two nine": (
        "balance for the checking account ending in 4729"
    ),
    "hmm the moon is nice": "the moon is nice",
}


@given(st.text(max_size=200))
def test_reading_twice_changes_nothing(text: str) -> None:
    once = as_typed(text)
    assert as_typed(once) == once
    assert len(once) <= 2 * len(text)
