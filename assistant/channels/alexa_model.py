"""What Alexa is taught, written from the domain and the training data: its interaction model and the skill's manifest.

https://developer.amazon.com/docs/smapi/interaction-model-schema.html
https://developer.amazon.com/docs/smapi/skill-manifest.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from assistant.channels.alexa import BUILT_IN, CARRIERS, GO_ON
from assistant.channels.alexa_reply import ANSWER, CODE
from assistant.channels.spoken_intents import Example, Slot, SpokenIntents

#: Values of one slot type, and characters of one value.
MAX_VALUES, MAX_VALUE = 1000, 140
#: Rasa's intents that Alexa has of its own; their examples teach it more ways to say them.
_THEIRS: Mapping[str, str] = {
    "affirm": "AMAZON.YesIntent",
    "deny": "AMAZON.NoIntent",
    "help": "AMAZON.HelpIntent",
    "repeat": "AMAZON.RepeatIntent",
    "stop": "AMAZON.StopIntent",
}
_ALWAYS = ("AMAZON.StopIntent", "AMAZON.CancelIntent", "AMAZON.NavigateHomeIntent", "AMAZON.FallbackIntent")
_GO_ON = ("go on", "continue", "i'm waiting", "what did you find", "what did my bank say", "are you there", "well")
#: What a sample may hold outside its slots: letters, spaces, apostrophes, and hyphens within a word.
_PLAIN = re.compile(r"[a-z][a-z' -]*")
_INVOCATION = re.compile(r"[a-z][a-z' ]*[a-z]")


def interaction_model(intents: SpokenIntents, invocation: str) -> dict[str, Any]:
    """For one locale, American English. Raises ValueError for a name that Alexa would not take."""
    if not _INVOCATION.fullmatch(invocation) or len(invocation.split()) < 2:
        raise ValueError("an invocation name is two words or more, in lower-case letters")
    taken: set[str] = set()
    used: set[str] = set()
    built: list[dict[str, Any]] = []
    # Theirs first: a sample belongs to one intent alone, and "stop" to Alexa's.
    order = sorted(intents.examples, key=lambda name: name not in _THEIRS)
    for name in order:
        samples, slots = _samples(intents.examples[name], taken, bare=name in _THEIRS)
        used |= {slot.entity for slot in slots}
        if samples or name in _THEIRS:
            built.append(_intent(_THEIRS.get(name, name), samples, {slot.name: _type(slot.entity) for slot in slots}))
    present = {one["name"] for one in built}
    built += [_intent(name) for name in (*_ALWAYS, *BUILT_IN) if name not in present]
    for name, words in CARRIERS.items():
        built.append(_intent(name, [f"{words} {{words}}"], {"words": "AMAZON.SearchQuery"}))
    built.append(_intent(GO_ON, [one for one in _GO_ON if one not in taken]))
    built.append(_intent(ANSWER[0], ["my answer is {words}", "i said {words}"], {ANSWER[1]: "AMAZON.SearchQuery"}))
    built.append(_intent(CODE[0], ["my code is {code}", "the code is {code}"], {CODE[1]: "AMAZON.NUMBER"}))
    types = [_slot_type(entity, intents.values.get(entity, ())) for entity in sorted(used) if entity != _COUNT]
    return {
        "interactionModel": {
            "languageModel": {
                "invocationName": invocation,
                "intents": [_with_bare_answer(one) for one in built],
                "types": types,
                "modelConfiguration": {"fallbackIntentSensitivity": {"level": "LOW"}},
            },
            "dialog": {
                "delegationStrategy": "SKILL_RESPONSE",
                "intents": [_dialog(*ANSWER, "AMAZON.SearchQuery"), _dialog(*CODE, "AMAZON.NUMBER")],
            },
            "prompts": [_prompt(*ANSWER, "What would you like to know?"), _prompt(*CODE, "What is your code?")],
        }
    }


def manifest(public_url: str, name: str, invocation: str) -> dict[str, Any]:
    """skill.json for a skill in development; texts for a store are the bank's own to write."""
    address = f"{public_url}/webhooks/alexa/webhook"
    about = {
        "name": name,
        "summary": "Asks your bank for your own figures.",
        "description": "Balances, transactions, spending, bills and subscriptions, for what you have allowed.",
        "examplePhrases": [f"Alexa, open {invocation}", f"Alexa, ask {invocation} what my balance is"],
        "keywords": ["bank", "balance", "spending"],
    }
    return {
        "manifest": {
            "manifestVersion": "1.0",
            "apis": {"custom": {"endpoint": {"uri": address, "sslCertificateType": "Trusted"}}},
            "publishingInformation": {
                "locales": {"en-US": about},
                "category": "BUSINESS_AND_FINANCE",
                "distributionCountries": ["US"],
                "isAvailableWorldwide": False,
                "testingInstructions": "Link the account with the sandbox bank's sign-in, then ask for the balance.",
            },
            "privacyAndCompliance": {
                "allowsPurchases": False,
                "usesPersonalInfo": True,
                "isChildDirected": False,
                "isExportCompliant": True,
                "containsAds": False,
            },
        }
    }


_COUNT = "count"


def _samples(examples: Iterable[Example], taken: set[str], *, bare: bool) -> tuple[list[str], list[Slot]]:
    """Sample utterances that no other intent has, and the slots in them. ``bare``: those without slots alone."""
    samples: list[str] = []
    slots: dict[str, Slot] = {}
    for example in examples:
        if bare and example.slots:
            continue
        sample = _sample(example)
        if sample and sample not in taken:
            taken.add(sample)
            samples.append(sample)
            slots |= {slot.name: slot for slot in example.slots}
    return samples, list(slots.values())


def _sample(example: Example) -> str:
    """ "" for an example with signs or figures that Alexa's samples can't hold."""
    words: list[str] = []
    for part in example.parts:
        if isinstance(part, Slot):
            words.append(f"{{{part.name}}}")
            continue
        plain = " ".join(re.sub(r"[?!.,;:\u201c\u201d\"]", " ", part.lower().replace("\u2019", "'")).split())
        # A slot stands by itself, or with the "'s" of a possessive.
        if plain and not _PLAIN.fullmatch(plain.removeprefix("'s").strip() or "a"):
            return ""
        words.append(plain)
    return " ".join(filter(None, words)).replace("} 's", "}'s").strip()


def _intent(name: str, samples: Iterable[str] = (), slots: Mapping[str, str] | None = None) -> dict[str, Any]:
    built: dict[str, Any] = {"name": name, "samples": list(samples)}
    if slots:
        built["slots"] = [{"name": slot, "type": kind} for slot, kind in slots.items()]
    return built


def _with_bare_answer(intent: dict[str, Any]) -> dict[str, Any]:
    """While its slot is asked for, the words alone are the answer."""
    if intent["name"] in (ANSWER[0], CODE[0]):
        [slot] = intent["slots"]
        slot["samples"] = [f"{{{slot['name']}}}"]
    return intent


def _type(entity: str) -> str:
    return "AMAZON.NUMBER" if entity == _COUNT else entity.upper()


def _slot_type(entity: str, values: Iterable[str]) -> dict[str, Any]:
    kept = [value for value in values if value and len(value) <= MAX_VALUE][:MAX_VALUES]
    return {"name": _type(entity), "values": [{"name": {"value": value}} for value in kept]}


def _dialog(intent: str, slot: str, kind: str) -> dict[str, Any]:
    asked = {"elicitation": f"Elicit.{intent}.{slot}"}
    required = {"name": slot, "type": kind, "elicitationRequired": True, "confirmationRequired": False}
    return {
        "name": intent,
        "confirmationRequired": False,
        "prompts": {},
        "slots": [{**required, "prompts": asked}],
    }


def _prompt(intent: str, slot: str, text: str) -> dict[str, Any]:
    return {"id": f"Elicit.{intent}.{slot}", "variations": [{"type": "PlainText", "value": text}]}
