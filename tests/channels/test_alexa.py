"""Alexa: the contract of channels, its signature in every broken form, and what the stock tutorials get wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from support.alexa import CHAIN, AlexaDriver, intent_of, said
from support.channel_contract import ChannelContract, wait_for
from support.channel_server import ChannelServer

from assistant.channels.alexa_proof import chain_url
from assistant.channels.base import Refused

_NO_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


class TestAlexa(ChannelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AlexaDriver]:
        yield AlexaDriver(tmp_path_factory.mktemp("amazon"))

    # Proof

    @pytest.mark.parametrize("fault", [{"name": "echo-api.example.com"}, {"ended": True}, {"root": True}])
    def test_a_certificate_that_is_not_alexas_is_refused(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, fault: dict[str, Any]
    ) -> None:
        url = driver.put(f"bad-{next(iter(fault))}.pem", driver.authority.chain(**fault))
        asked = driver.asked(ann, intent_of("AMAZON.HelpIntent", {}))
        assert driver.post(asked, SignatureCertChainUrl=url).status_code == 400
        assert driver.post(asked).status_code == 200
        assert [one["text"] for one in server.heard()] == ["help"]

    @pytest.mark.parametrize(
        "chain", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
    )
    def test_garbage_in_place_of_a_certificate_is_refused_and_not_fetched_again_at_once(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, chain: bytes
    ) -> None:
        name = f"garbage-{len(chain)}.pem"
        url = driver.put(name, chain)
        asked = driver.asked(ann, intent_of("AMAZON.HelpIntent", {}))
        assert [driver.post(asked, SignatureCertChainUrl=url).status_code for _ in range(2)] == [400, 400]
        assert (driver.folder / "fetched").read_text().count(name) == 1

    def test_a_certificate_that_cannot_be_fetched_now_may_be_tried_again(
        self, server: ChannelServer, driver: AlexaDriver, ann: str
    ) -> None:
        url = "https://s3.amazonaws.com/echo.api/not-there-yet.pem"
        asked = driver.asked(ann, intent_of("AMAZON.HelpIntent", {}))
        assert driver.post(asked, SignatureCertChainUrl=url).status_code == 503
        driver.put("not-there-yet.pem", driver.authority.chain())
        assert driver.post(asked, SignatureCertChainUrl=url).status_code == 200

    def test_a_certificate_is_fetched_once(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        for _ in range(3):
            assert driver.intent(ann, "AMAZON.HelpIntent").status_code == 200
        fetched = (driver.folder / "fetched").read_text().splitlines()
        assert fetched.count(CHAIN) <= 2, "once in each process: the server was restarted once"

    # Who speaks

    def test_nobody_is_answered_who_has_not_linked(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        stranger = driver.customers.tokens.issue("alexa refresh", "", {"p": f"link:{ann}"}, timedelta(hours=1))
        ended = driver.customers.tokens.issue("alexa access", "", {"p": f"link:{ann}"}, timedelta(seconds=-1))
        nobody = driver.customers.tokens.issue("alexa access", "", {"p": "link:nobody"}, timedelta(hours=1))
        driver.token(ann)
        for token in ("", "x", stranger, ended, nobody):
            for request in ({"type": "LaunchRequest"}, intent_of("ask_balance", {})):
                response = driver.post(driver.asked(ann, request, token=token)).json()["response"]
                assert response["card"] == {"type": "LinkAccount"}
                assert response["shouldEndSession"] is True
        assert server.heard() == []

    def test_who_took_the_link_back_is_nobody(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        assert "card" not in driver.intent(ann, "AMAZON.HelpIntent").json()["response"]
        driver.customers.identities.unbind(driver.conversation(ann))
        assert driver.intent(ann, "AMAZON.HelpIntent").json()["response"]["card"] == {"type": "LinkAccount"}

    def test_the_same_account_of_alexa_with_another_link_is_another_conversation(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, bob: str
    ) -> None:
        driver.intent(ann, "AMAZON.HelpIntent")
        driver.post(driver.asked(ann, intent_of("AMAZON.HelpIntent", {}), token=driver.token(bob)))
        assert len({one["conversation"] for one in server.heard()}) == 2

    # What was said

    @pytest.mark.parametrize(
        ("name", "slots", "text"),
        [
            (
                "SearchHowMuchIntent",
                {"words": "did i spend on food last month"},
                "how much did i spend on food last month",
            ),
            ("AMAZON.YesIntent", {}, "yes"),
            ("AMAZON.NoIntent", {}, "no"),
            ("AMAZON.RepeatIntent", {}, "repeat that"),
            ("GoOnIntent", {}, "more"),
            ("ask_balance", {}, "what's my balance"),
            ("ask_balance", {"account": ""}, "what's my balance"),
        ],
    )
    def test_what_alexa_understood_becomes_words(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, name: str, slots: dict[str, str], text: str
    ) -> None:
        assert driver.intent(ann, name, slots).status_code == 200
        assert [one["text"] for one in server.heard()] == [text]

    def test_the_words_of_slots_are_in_what_rasa_hears(
        self, server: ChannelServer, driver: AlexaDriver, ann: str
    ) -> None:
        driver.intent(ann, "ask_spending", {"category": "groceries", "period": "last week"})
        [heard] = server.heard()
        assert "groceries" in heard["text"] and "last week" in heard["text"]

    @pytest.mark.parametrize("name", ["AMAZON.FallbackIntent", "NotOursIntent"])
    def test_what_alexa_could_not_place_is_asked_for_again(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, name: str
    ) -> None:
        response = driver.intent(ann, name)
        assert "didn't get that" in said(response)
        assert response.json()["response"]["shouldEndSession"] is False
        assert server.heard() == []

    def test_opening_the_skill_greets_and_waits(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        response = driver.post(driver.asked(ann, {"type": "LaunchRequest"}, new=True)).json()["response"]
        assert [one["text"] for one in server.heard()] == ["/greet"]
        assert response["shouldEndSession"] is False and response["reprompt"]["outputSpeech"]["ssml"]

    def test_one_question_and_no_more_ends_the_session(
        self, server: ChannelServer, driver: AlexaDriver, ann: str
    ) -> None:
        once = driver.intent(ann, "ask_balance", new=True).json()["response"]
        assert once["shouldEndSession"] is True and "reprompt" not in once
        again = driver.intent(ann, "ask_balance").json()["response"]
        assert again["shouldEndSession"] is False and "Anything else?" in again["outputSpeech"]["ssml"]

    @pytest.mark.parametrize("name", ["AMAZON.StopIntent", "AMAZON.CancelIntent", "AMAZON.NavigateHomeIntent"])
    def test_stop_ends_the_session_even_unlinked(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, name: str
    ) -> None:
        for token in (driver.token(ann), ""):
            response = driver.post(driver.asked(ann, intent_of(name, {}), token=token)).json()["response"]
            assert response["shouldEndSession"] is True and "card" not in response

    def test_an_ended_session_is_not_spoken_to(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        for error in ({}, {"error": {"type": "INVALID_RESPONSE", "message": "xylophone"}}):
            ended = {"type": "SessionEndedRequest", "reason": "ERROR", **error}
            assert driver.post(driver.asked(ann, ended)).json() == {"version": "1.0", "response": {}}
        assert server.heard() == [] and "xylophone" not in server.log.read_text()

    @pytest.mark.parametrize(
        ("name", "yes"), [("ask_balance", "YES"), ("SearchWhatIntent", "YES"), ("OrderPizza", "NO")]
    )
    def test_whether_we_could_is_told_of_nobody(
        self, server: ChannelServer, driver: AlexaDriver, ann: str, name: str, yes: str
    ) -> None:
        request = {**intent_of(name, {"account": "checking"}), "type": "CanFulfillIntentRequest"}
        response = driver.post(driver.asked(ann, request, token="")).json()["response"]
        told = {"canUnderstand": yes, "canFulfill": yes}
        assert response == {"canFulfillIntent": {"canFulfill": yes, "slots": {"account": told}}}
        assert server.heard() == []

    def test_coming_back_from_elsewhere_goes_on(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        back = {"type": "Connections.Response", "name": "AskFor", "status": {"code": "200"}, "payload": {}, "token": ""}
        assert driver.post(driver.asked(ann, back)).status_code == 200
        assert [one["text"] for one in server.heard()] == ["/returned"]

    def test_an_unknown_kind_of_request_is_taken_and_left(
        self, server: ChannelServer, driver: AlexaDriver, ann: str
    ) -> None:
        for kind in ("AlexaSkillEvent.SkillEnabled", "Display.ElementSelected", "x"):
            assert driver.post(driver.asked(ann, {"type": kind})).json() == {"version": "1.0", "response": {}}
        assert server.heard() == []

    # The code

    def test_a_code_is_tried_and_heard_by_nobody(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        token = driver.token(ann)
        customers, conversation = driver.customers, driver.conversation(ann)
        customer = customers.identities.resolve("alexa", conversation)
        assert customer and token
        customers.step_up.set_code(customer.id, "472915")
        waiting = {"attributes": {"code": True}}
        wrong = driver.intent(ann, "CodeIntent", {"code": "111222"}, **waiting)
        assert "not the code" in said(wrong)
        assert wrong.json()["response"]["directives"][0]["slotToElicit"] == "code"
        assert wrong.json()["sessionAttributes"] == {"code": True}
        right = driver.intent(ann, "AnswerIntent", {"words": "4 7 2 9 1 5"}, **waiting)
        assert right.status_code == 200 and customers.step_up.has_passed(customer)
        assert [one["text"] for one in server.heard()] == ["/returned"]
        driver.intent(ann, "ask_balance", new=True)
        assert not customers.step_up.has_passed(customer), "a new session may be somebody else's"
        for _ in range(3):
            locked = driver.intent(ann, "CodeIntent", {"code": "111222"}, **waiting)
        assert "locked" in said(locked)
        assert "locked" in said(driver.intent(ann, "CodeIntent", {"code": "472915"}, **waiting))
        assert not any(digits in str(server.heard()) for digits in ("472915", "111222", "4 7 2 9"))
        assert not any(digits in server.log.read_text() for digits in ("472915", "111222", "4 7 2 9"))

    def test_a_code_that_nobody_asked_for_is_not_tried(
        self, server: ChannelServer, driver: AlexaDriver, ann: str
    ) -> None:
        assert "don't need a code" in said(driver.intent(ann, "CodeIntent", {"code": "472915"}))
        assert server.heard() == []

    # Slow banks

    def test_a_slow_answer_is_admitted_and_given_when_asked_again(
        self, server: ChannelServer, driver: AlexaDriver, ann: str
    ) -> None:
        server.turns_take(8)
        slow = driver.intent(ann, "ask_balance")
        assert "Say go on" in said(slow) and slow.elapsed.total_seconds() < 8
        assert slow.json()["response"]["shouldEndSession"] is False
        assert slow.json()["sessionAttributes"] == {"waiting": True}
        then = driver.intent(ann, "GoOnIntent", attributes={"waiting": True})
        assert "You said: what's my balance" in said(then)
        assert len(server.heard()) == 1

    def test_what_another_session_asked_is_not_told(self, server: ChannelServer, driver: AlexaDriver, ann: str) -> None:
        server.turns_take(7)
        driver.intent(ann, "ask_balance")
        server.turns_take(0)
        assert wait_for(lambda: len(driver.customers.inbox.held_for(driver.conversation(ann))) == 1)
        assert "balance" not in said(driver.intent(ann, "AMAZON.HelpIntent", new=True))


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("https://s3.amazonaws.com/echo.api/cert.pem", "https://s3.amazonaws.com/echo.api/cert.pem"),
        ("HTTPS://S3.amazonaws.com:443/echo.api/cert.pem", "https://s3.amazonaws.com/echo.api/cert.pem"),
        ("https://s3.amazonaws.com/echo.api/../echo.api/cert.pem", "https://s3.amazonaws.com/echo.api/cert.pem"),
    ],
)
def test_amazons_own_examples_of_addresses_are_taken(given: str, normal: str) -> None:
    assert chain_url(given) == normal


@pytest.mark.parametrize(
    "given",
    [
        "",
        "http://s3.amazonaws.com/echo.api/cert.pem",
        "https://notamazon.com/echo.api/cert.pem",
        "https://s3.amazonaws.com/EcHo.aPi/cert.pem",
        "https://s3.amazonaws.com/invalid.path/cert.pem",
        "https://s3.amazonaws.com:563/echo.api/cert.pem",
        "https://s3.amazonaws.com:x/echo.api/cert.pem",
        "https://s3.amazonaws.com/echo.api/../evil/cert.pem",
        "https://s3.amazonaws.com/echo.api/%2e%2e/evil/cert.pem",
        "https://s3.amazonaws.com/echo.api/..\\evil/cert.pem",
        "https://user@s3.amazonaws.com/echo.api/cert.pem",
        "https://s3.amazonaws.com@evil.example/echo.api/cert.pem",
        "https://s3.amazonaws.com.evil.example/echo.api/cert.pem",
        "https://s3.amazonaws.com/echo.api/cert.pem?x=1",
        "https://s3.amazonaws.com/echo.api/cert.pem#x",
        "https://s3.amazonaws.com/echo.api",
        "file:///echo.api/cert.pem",
    ],
)
def test_every_other_address_is_refused(given: str) -> None:
    with pytest.raises(Refused):
        chain_url(given)
