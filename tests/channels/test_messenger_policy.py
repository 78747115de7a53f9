"""What may be sent when, tried at every border against Messenger's own rules."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from assistant.channels.messenger_policy import RULES, Template, Why, how

NOW = datetime(2026, 3, 15, 12, tzinfo=timezone.utc)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


@pytest.mark.parametrize(
    ("why", "heard_at", "template", "kind"),
    [
        (Why.ANSWER, ago(seconds=1), False, "RESPONSE"),
        (Why.ANSWER, ago(hours=23), False, "RESPONSE"),
        (Why.ANSWER, ago(hours=24), False, None),
        (Why.ANSWER, ago(days=2), True, None),
        (Why.ANSWER, None, False, None),
        (Why.NOTICE, ago(hours=1), True, "UPDATE"),
        (Why.NOTICE, ago(hours=25), False, None),
        (Why.NOTICE, ago(hours=25), True, "UTILITY"),
        (Why.NOTICE, None, True, "UTILITY"),
        (Why.PERSON, ago(hours=1), False, "RESPONSE"),
        (Why.PERSON, ago(days=6), False, "MESSAGE_TAG"),
        (Why.PERSON, ago(days=8), False, None),
    ],
)
def test_the_rule_for_each_case(why: Why, heard_at: datetime | None, template: bool, kind: str | None) -> None:
    rule = how(why, heard_at, NOW, template=template)
    assert (rule and rule.fields["messaging_type"]) == kind


def test_only_people_use_the_tag_and_no_dead_one_exists() -> None:
    tags = {rule.fields["tag"]: rule.why for rule in RULES if "tag" in rule.fields}
    assert tags == {"HUMAN_AGENT": Why.PERSON}


def test_a_template_is_filled_in_order() -> None:
    [body] = Template("bill_due", ("Comcast", "$89.99")).message()["template"]["components"]
    assert body["type"] == "body"
    assert [one["text"] for one in body["parameters"]] == ["Comcast", "$89.99"]
    assert Template("hello").message() == {"template": {"name": "hello", "language": {"code": "en"}, "components": []}}
