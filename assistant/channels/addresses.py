"""The addresses of the hosted pages, for whoever sends a customer to one."""

from __future__ import annotations

from enum import Enum

from assistant.settings import Settings

#: Under which path of the public address the pages are.
PREFIX = "/link"
#: Where the browser of somebody who linked her bank for a channel goes on, by channel.
ONWARD = {"alexa": "/webhooks/alexa/linked"}


class Page(str, Enum):
    LINK = ""  #: token of Linking.begin
    CODE = "code"  #: OneTimeLinks.issue with FIRST_CODE or NEW_CODE
    ENTER = "enter"  #: OneTimeLinks.issue with ENTER_CODE
    EXPORT = "export"  #: OneTimeLinks.issue with *EXPORT


def page_url(settings: Settings, token: str, page: Page = Page.LINK) -> str:
    """The page this token opens. The URL is as secret as the token: it goes to the customer, and into no log."""
    return "/".join(filter(None, (f"{settings.public_url}{PREFIX}", page.value, token)))
