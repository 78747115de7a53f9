"""The conversation itself: what is said at the start, and when nothing was understood."""

from datetime import date

from assistant.banking.connector import CustomerProfile
from assistant.replies.reply import Choice
from assistant.replies.wording import Wording
from assistant.skills.conversation import did_you_mean, greeting

TODAY = date(2026, 3, 15)
WORDING = Wording.load("domain.yml")


def test_the_greeting_says_it_is_automated_and_what_ends_soon() -> None:
    said = WORDING.text(greeting(linked=True, ending={"Chase": date(2026, 4, 2)}), CustomerProfile(), TODAY)
    assert "automated" in said
    assert "What you've allowed at Chase ends on April 2." in said
    assert "ends on" not in WORDING.text(greeting(linked=True), CustomerProfile(), TODAY)


def test_the_two_likeliest_are_offered_and_then_a_person() -> None:
    ranking = ("nlu_fallback", "ask_fees", "greet", "ask_income", "ask_balance")
    first, second = did_you_mean(ranking, 1), did_you_mean(ranking, 2)
    assert first.choices == (Choice("meant_ask_fees"), Choice("meant_ask_income"))
    assert second.choices[0] == Choice("meant_talk_to_person")
    assert did_you_mean((), 1).choices == (Choice("help"), Choice("meant_talk_to_person"))
    for reply in (first, second):
        WORDING.text(reply, CustomerProfile(), TODAY)
