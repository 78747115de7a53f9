"""Replies as Messenger messages: judged by the limits as the documents state them (support/graph_rules.py)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from support.graph_rules import check_message

from assistant.channels import charts
from assistant.channels.charts import WIDTH, draw
from assistant.channels.messenger_render import (
    CHART,
    MAX_QUICK_REPLIES,
    MAX_TEXT,
    Renderer,
    mask,
    with_picture,
    without_picture,
)
from assistant.channels.text_split import size, split, title
from assistant.replies.said import Said, SaidBar, SaidChart, SaidChoice, SaidLink, SaidTable

RENDERER = Renderer(
    lambda choice: f"token:{choice.title}", "Transactions", lambda account: f"What went out of {account}?"
)
CHART_OF_FOOD = SaidChart(
    "Spending by category in February 2026",
    (SaidBar("groceries", "$469.64", "469.64"), SaidBar("coffee", "$92.05", "92.05"), SaidBar("back", "-$3", "-3")),
)
ACCOUNTS = SaidTable(
    ("Account", "Balance"),
    (False, True),
    (("Everyday Checking (…4729)", "$7,749.09"), ("Vacation Fund (…8810)", "$5,069.99")),
)
PURCHASES = SaidTable(
    ("Merchant", "Date", "Amount"),
    (False, False, True),
    (("Whole Foods", "March 12", "$54.20"), ("Shell", "March 11", "$38.00")),
)
LINK = SaidLink("connect", "Connect my bank", "https://assistant.example/link/abc12345678")


def render(said: Said) -> list[dict[str, Any]]:
    """Checked as Graph would."""
    messages = RENDERER.render(said)
    for message in messages:
        if CHART in message:
            check_message(with_picture(message, "7"), {"7": b""})
        else:
            check_message(message, {})
    return messages


def choices(*titles: str) -> tuple[SaidChoice, ...]:
    return tuple(map(SaidChoice, titles))


def test_an_offer_is_a_quick_reply_that_says_its_whole_title() -> None:
    [message] = render(Said("You spent $12.", choices=choices("Is that more than usual?", "Show me those")))
    assert message["text"] == "You spent $12."
    assert message["quick_replies"] == [
        {"content_type": "text", "title": "Is that more than…", "payload": "token:Is that more than usual?"},
        {"content_type": "text", "title": "Show me those", "payload": "token:Show me those"},
    ]


def test_a_question_keeps_its_answers_as_buttons_and_many_become_quick_replies() -> None:
    [message] = render(Said("Erase everything?", choices=choices("Yes", "No, thanks"), expects=True))
    payload = message["attachment"]["payload"]
    assert (payload["template_type"], payload["text"]) == ("button", "Erase everything?")
    assert [one["title"] for one in payload["buttons"]] == ["Yes", "No, thanks"]
    [message] = render(Said("Which one?", choices=choices("A", "B", "C", "D"), expects=True))
    assert [one["title"] for one in message["quick_replies"]] == ["A", "B", "C", "D"]


def test_a_question_that_is_long_keeps_its_end_with_the_buttons() -> None:
    first, message = render(Said("Because. " * 100 + "Erase everything?", choices=choices("Yes"), expects=True))
    assert message["attachment"]["payload"]["text"].endswith("Erase everything?")
    assert size(first["text"]) > 100


def test_no_more_quick_replies_than_there_may_be() -> None:
    [message] = render(Said("Which?", choices=choices(*(f"number {one}" for one in range(40)))))
    assert len(message["quick_replies"]) == MAX_QUICK_REPLIES


def test_what_does_not_fit_a_button_is_left_out_and_the_rest_stays() -> None:
    [message] = render(Said("Which?", choices=choices("x" * 1000, "", "fine")))
    assert [one["title"] for one in message["quick_replies"]] == ["fine"]


def test_a_chart_is_a_picture_and_is_written_out_before_it() -> None:
    text, picture = render(Said("You spent $558.69.", chart=CHART_OF_FOOD, choices=choices("Show me those")))
    assert text == {"text": "You spent $558.69.\n\ngroceries: $469.64\ncoffee: $92.05\nback: -$3"}
    assert [one["title"] for one in picture["quick_replies"]] == ["Show me those"]
    assert without_picture(picture) == {"text": CHART_OF_FOOD.title, "quick_replies": picture["quick_replies"]}
    check_message(without_picture(picture), {})
    assert without_picture({CHART: {}}) is None


def test_accounts_are_cards_and_transactions_are_lines() -> None:
    text, cards = render(Said("You have $12,819.08.", table=ACCOUNTS, choices=choices("Help")))
    assert text == {"text": "You have $12,819.08."}
    first = cards["attachment"]["payload"]["elements"][0]
    assert (first["title"], first["subtitle"]) == ("Everyday Checking (…4729)", "$7,749.09")
    assert first["buttons"][0]["payload"] == "token:What went out of Everyday Checking (…4729)?"
    assert cards["quick_replies"]
    [message] = render(Said("Your last two:", table=PURCHASES))
    assert message["text"] == "Your last two:\n\nWhole Foods · March 12: $54.20\nShell · March 11: $38.00"


def test_of_two_figures_each_is_named() -> None:
    table = SaidTable(("Card", "Limit", "Left"), (False, True, True), (("Visa", "$500", "$20"),))
    [message] = render(Said("", table=table))
    assert message["text"] == "Visa: Limit $500 · Left $20"


def test_connecting_has_messengers_own_button_and_one_for_everybody_else() -> None:
    [message] = render(Said("Open this page.", link=LINK, choices=choices("Done")))
    buttons = message["attachment"]["payload"]["buttons"]
    assert buttons == [
        {"type": "account_link", "url": LINK.url},
        {"type": "web_url", "url": LINK.url, "title": "Connect my bank"},
    ]
    assert [one["title"] for one in message["quick_replies"]] == ["Done"]
    [message] = render(Said("Open this page.", link=SaidLink("export", "Get my data", LINK.url)))
    assert [one["type"] for one in message["attachment"]["payload"]["buttons"]] == ["web_url"]


def test_an_address_that_messenger_would_not_open_is_written_out() -> None:
    [message] = render(Said("Open this page.", link=SaidLink("connect", "Connect", "http://127.0.0.1:5005/link/x")))
    assert message["text"] == "Open this page.\nhttp://127.0.0.1:5005/link/x"


@pytest.mark.parametrize("empty", ["", "\n\n\n\n", "   "])
def test_nothing_to_say_is_no_message(empty: str) -> None:
    assert render(Said(empty)) == []


PARTS = st.sampled_from(["One sentence. ", "Really? ", "word ", "\n\n", "x" * 300, "👩‍👩‍👧 ", "é", "“Quoted.” ", "\n"])
TEXTS = st.lists(PARTS, max_size=400).map("".join) | st.text(max_size=300)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from([20, 640, MAX_TEXT]))
def test_splitting_loses_nothing_and_keeps_the_limit(text: str, limit: int) -> None:
    parts = split(text, limit)
    assert all(part.strip() and size(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_it_splits_between_sentences() -> None:
    text = "First sentence, which is fine. " * 5 + "He said “Stop.” Then he left for good."
    for part in split(text, 90):
        assert part.endswith((".", "”"))


def test_a_title_is_cut_between_words() -> None:
    assert title("Show my transactions at Comcast", 20) == "Show my transaction…"
    assert title("What's my balance?", 20) == "What's my balance?"
    assert title("What is my balance??!", 20) == "What is my balance"
    assert title("Supercalifragilisticexpialidocious", 20) == "Supercalifragilisti…"


WORDS = st.text(max_size=90)
BARS = st.builds(SaidBar, WORDS, WORDS, st.sampled_from(["0", "1", "-5", "1e9", "NaN", "x", "Infinity"]) | WORDS)
SAIDS = st.builds(
    Said,
    text=TEXTS,
    chart=st.none() | st.builds(SaidChart, WORDS, st.lists(BARS, max_size=12).map(tuple)),
    table=st.none()
    | st.integers(1, 3).flatmap(
        lambda width: st.builds(
            SaidTable,
            st.tuples(*[WORDS] * width),
            st.tuples(*[st.booleans()] * width),
            st.lists(st.tuples(*[WORDS | st.just("Visa (…1234)")] * width), min_size=1, max_size=12).map(tuple),
        )
    ),
    choices=st.lists(st.builds(SaidChoice, st.text(max_size=60)), max_size=20).map(tuple),
    link=st.none() | st.just(LINK),
    expects=st.booleans(),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(SAIDS)
def test_whatever_is_said_graph_would_take_it(said: Said) -> None:
    render(said)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Card 4111 1111 1111 1111 is", "Card …1111 is"),
        ("4111-1111-1111-1111", "…1111"),
        ("account 000123456789.", "account …6789."),
        ("CHECK 12345678", "CHECK …5678"),
        ("DE89 3704 0044 0532 0130 00", "…3000"),
        ("Everyday Checking (…4729)", "Everyday Checking (…4729)"),
        ("$1,234,567.89 on 2026-03-15 at 10:30", "$1,234,567.89 on 2026-03-15 at 10:30"),
        ("call 1-800-555-0199", "call 1-800-555-0199"),
        ("€12345678.90", "€12345678.90"),
    ],
)
def test_numbers_are_masked_to_the_last_four(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_a_number_is_masked_wherever_it_stands() -> None:
    number = "4111111111111111"
    said = Said(
        number,
        table=SaidTable(("a", "b"), (False, True), ((number, "$1"),)),
        chart=SaidChart(number, (SaidBar(number, "$1", "1"),)),
        choices=choices(number),
    )
    assert number not in str(render(said))
    assert number not in str(render(Said("", table=said.table, choices=said.choices, expects=True)))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def pixels(picture: Image.Image, colour: str) -> list[int]:
    """How long the bars are in each row that has this colour."""
    wanted = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    data = picture.convert("RGB")
    rows = [sum(data.getpixel((x, y)) == wanted for x in range(data.width)) for y in range(data.height)]
    return [row for row in rows if row > 100]


def test_a_chart_is_drawn_to_scale_and_can_be_seen() -> None:
    bars = (SaidBar("a", "$200", "200"), SaidBar("b", "$100", "100"), SaidBar("c", "-$100", "-100"))
    picture = Image.open(io.BytesIO(draw(SaidChart("Spending", bars))))
    assert picture.size[0] == WIDTH and picture.format == "PNG"
    full, half = max(pixels(picture, charts._MONEY_OUT)), min(pixels(picture, charts._MONEY_OUT))
    back = max(pixels(picture, charts._MONEY_BACK))
    assert max(abs(half / full - 0.5), abs(back / full - 0.5)) < 0.05
    assert contrast(charts._INK, charts._PAPER) >= 4.5
    assert min(contrast(colour, charts._TRACK) for colour in (charts._MONEY_OUT, charts._MONEY_BACK)) >= 3


@settings(max_examples=30, deadline=None)
@given(st.builds(SaidChart, st.text(max_size=200), st.lists(BARS, max_size=20).map(tuple)))
def test_every_chart_can_be_drawn(chart: SaidChart) -> None:
    draw(chart)
