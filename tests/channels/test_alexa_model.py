"""The interaction model against Alexa's own rules for one, and the endpoint's way back for everything in it."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from support.sandbox import ROOT

from assistant.channels.alexa import BUILT_IN, CARRIERS
from assistant.channels.alexa_model import interaction_model, manifest
from assistant.channels.spoken_intents import SpokenIntents, spoken_intents


@pytest.fixture(scope="module")
def intents() -> SpokenIntents:
    return spoken_intents()


@pytest.fixture(scope="module")
def model(intents: SpokenIntents) -> dict[str, Any]:
    whole: dict[str, Any] = interaction_model(intents, "my tellerline")["interactionModel"]
    return whole


def test_every_intent_of_the_domain_is_there(model: dict[str, Any], intents: SpokenIntents) -> None:
    names = {one["name"] for one in model["languageModel"]["intents"]}
    domain = yaml.safe_load((ROOT / "domain.yml").read_text())["intents"]
    ours = {next(iter(one)) if isinstance(one, dict) else one for one in domain}
    theirs = {"affirm", "deny", "help", "repeat", "stop"}
    silent = {"out_of_scope"} | (ours - set(intents.examples))  # never said by anybody, or Alexa's fallback
    assert ours - theirs - silent <= names
    assert {"ask_balance", "ask_spending", "refine"} <= names and set(CARRIERS) | set(BUILT_IN) <= names


def test_samples_are_what_alexa_takes(model: dict[str, Any]) -> None:
    seen: set[str] = set()
    for one in model["languageModel"]["intents"]:
        assert re.fullmatch(r"[A-Za-z][A-Za-z_.]*", one["name"])
        slots = {slot["name"]: slot["type"] for slot in one.get("slots", ())}
        named: set[str] = set()
        for sample in one["samples"]:
            assert re.fullmatch(r"[a-z{][a-z' {}_-]*", sample), sample
            assert sample not in seen, f"two intents would hear {sample!r}"
            seen.add(sample)
            inside = re.findall(r"\{(\w+)\}", sample)
            assert len(inside) == len(set(inside))
            named |= set(inside)
            if any(slots[name] == "AMAZON.SearchQuery" for name in inside):
                assert len(inside) == 1 and sample != f"{{{inside[0]}}}", "free text needs words before it"
        assert named == set(slots), one["name"]


def test_slot_types_are_there_and_small_enough(model: dict[str, Any]) -> None:
    types = {one["name"]: one["values"] for one in model["languageModel"]["types"]}
    used = {slot["type"] for one in model["languageModel"]["intents"] for slot in one.get("slots", ())}
    assert {kind for kind in used if not kind.startswith("AMAZON.")} == set(types)
    for name, values in types.items():
        assert re.fullmatch(r"[A-Z][A-Z_]*", name)
        assert 0 < len(values) <= 1000
        assert all(0 < len(one["name"]["value"]) <= 140 for one in values)
    assert {"checking", "savings"} <= {one["name"]["value"] for one in types["ACCOUNT"]}


def test_what_is_asked_for_can_be_said_alone(model: dict[str, Any]) -> None:
    prompts = {one["id"] for one in model["prompts"]}
    for one in model["dialog"]["intents"]:
        [slot] = one["slots"]
        assert slot["elicitationRequired"] and slot["prompts"]["elicitation"] in prompts
        [taught] = [known for known in model["languageModel"]["intents"] if known["name"] == one["name"]]
        assert taught["slots"][0]["samples"] == [f"{{{slot['name']}}}"]


def test_every_sample_comes_back_as_the_words_it_was_made_of(model: dict[str, Any], intents: SpokenIntents) -> None:
    """With each slot filled by a word of its own, all of them are in what Rasa hears, and no brace is."""
    checked = 0
    for one in model["languageModel"]["intents"]:
        if one["name"] not in intents.examples:
            continue
        for sample in one["samples"]:
            values = {name: f"value{number}" for number, name in enumerate(re.findall(r"\{(\w+)\}", sample))}
            words = intents.words(one["name"], values)
            assert words and "{" not in words and all(value in words for value in values.values())
            checked += 1
    assert checked > 1000


def test_an_intent_that_is_not_ours_has_no_words(intents: SpokenIntents) -> None:
    assert intents.words("order_pizza", {"topping": "ham"}) is None
    assert intents.words("ask_balance", {"payee": "zoe"}) == f"{intents.words('ask_balance', {})} zoe"


@pytest.mark.parametrize("name", ["tellerline", "My Bank", "my bank 2", ""])
def test_a_name_that_alexa_would_refuse_is_refused(intents: SpokenIntents, name: str) -> None:
    with pytest.raises(ValueError, match="invocation"):
        interaction_model(intents, name)


def test_the_manifest_names_our_address_and_promises_no_advertising() -> None:
    skill = manifest("https://bank.example", "My Bank", "my bank")["manifest"]
    assert skill["apis"]["custom"]["endpoint"]["uri"] == "https://bank.example/webhooks/alexa/webhook"
    assert skill["privacyAndCompliance"]["containsAds"] is False
