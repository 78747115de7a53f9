"""Where a text speaks of time: every form that the resolver reads, as one set of patterns."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.nlu.entity import fold
from assistant.nlu.numbers import ORDINAL
from assistant.nlu.period_words import (
    DAY_NUMBER,
    HOLIDAY,
    LAST,
    MANY,
    MONTH,
    NEXT,
    SEASON,
    THIS,
    UNIT,
    UNITS,
    WEEKDAY,
    YEAR,
)


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text something was said: ``text[start:end]``."""

    start: int
    end: int


_DATE = (
    rf"(?:\d{{4}}-\d{{2}}-\d{{2}}|\d{{1,2}}/\d{{1,2}}(?:/\d{{2}}(?:\d{{2}})?)?"
    rf"|(?:the )?{DAY_NUMBER} (?:of |day of )?(?:{MONTH})\b(?:,? (?:of )?{YEAR}|(?: of| in)? (?:{LAST}|this) year)?"
    rf"|\b(?:{MONTH}) (?:the )?{DAY_NUMBER}(?![\d/])(?:,? (?:of )?{YEAR}\b|(?: of)? (?:{LAST}|this) year)?"
    rf"|(?:the ){ORDINAL}(?! (?:one|card|account|quarter|half|week|day|month|time|thing|biggest|largest|most)\b))"
)
_YEAR_TAIL = rf"(?:,? (?:of |in )?{YEAR}\b|(?:,? of|,? in)? (?:{LAST}|this) year|(?: of)? the year before)"
_ATOMS = (
    r"(?:the )?day (?:before yesterday|after tomorrow)|yesterday(?: morning| afternoon| evening)?|today"
    r"|tonight|tomorrow|this (?:morning|afternoon|evening)|last night",
    rf"(?:the |these )?(?:{LAST}|{NEXT}|following|first) {MANY} {UNITS}(?: of (?:{YEAR}|(?:{LAST}|this|the)"
    rf" (?:year|month|quarter)|{MONTH}))?",
    rf"(?:the )?(?:{LAST}|past) (?:half (?:a )?year|fortnight|decade|century)",
    rf"{MANY} {UNITS} (?:ago|back|before that|earlier)|(?:a|an|one) {UNIT} (?:ago|back|earlier)",
    rf"(?:this past|the {LAST}|{LAST}|{THIS}|{NEXT}|the whole|the entire|all|all of (?:this|{LAST})"
    rf"|the following) (?:calendar |fiscal |financial |tax |business )?{UNIT}(?!s| end)(?:'s)?",
    rf"(?:the )?(?:same|exact) (?:{UNIT}|time|period|day)(?: of| in)? (?:{LAST} {UNIT}|the {UNIT} before"
    rf"|a {UNIT} (?:ago|earlier|before))",
    rf"(?:the )?{UNIT} (?:before last|before that|before|after that|after|prior)(?! (?:that )?(?:i|yesterday"
    rf"|tomorrow|payday|pay|christmas)\b)",
    r"(?:the )?(?:previous|prior) (?:one|period)|the one before(?: that)?|before that|(?:the )?(?:following"
    r"|next) (?:one|period)(?=$)",
    rf"(?:the )?(?:over the )?(?:{LAST} |{THIS} |this past |past |the past |{NEXT} )?(?:the )?weekend(?: before last)?",
    rf"(?:{LAST} |{THIS} |this past |{NEXT} )(?:{MONTH}|{WEEKDAY}|{SEASON})\b{_YEAR_TAIL}?",
    rf"{WEEKDAY} (?:{LAST} week|this week|the week before|before last)|{LAST} week {WEEKDAY}",
    r"(?:(?<=on )|(?<=since )|(?<=until )|(?<=by )|(?<=before )|(?<=after )|(?<=and )|(?<=to )|(?<=from )"
    r"|(?<=for ))(?:mon|tues?|wed|thu(?:rs?)?|fri|sat|sun)\b",
    r"\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b(?!s)",
    rf"(?:the )?(?:beginning|start|end|middle|first half|second half|first part|latter half|first week"
    rf"|last week|second week|third week|first quarter|second quarter|third quarter|fourth quarter|last quarter"
    rf"|first day|last day) of (?:{YEAR}|(?:the|this|{LAST}|next) {UNIT}|(?:{MONTH})\b{_YEAR_TAIL}?)",
    rf"(?:early|late|mid)[ -](?:(?:{MONTH})\b{_YEAR_TAIL}?|{YEAR})",
    rf"(?:(?:fiscal |calendar )?q[1-4]|h[12]|(?:the )?(?:first|second|third|fourth|last|1st|2nd|3rd|4th) (?:fiscal "
    rf"|calendar )?(?:quarter|half))(?: of)?(?: (?:fiscal |calendar )?(?:year )?{YEAR}|(?: of)? (?:{LAST}|this"
    rf"|the) year| fy ?'?\d\d(?:\d\d)?)?\b",
    rf"(?:fiscal|financial|fy|calendar|tax) ?(?:year )?(?:'?\d\d\b|{YEAR})",
    _DATE,
    rf"\b(?:january|february|march|april|june|july|august|september|october|november|december|jan|feb|apr|jun"
    rf"|jul|aug|sept?|oct|nov|dec)\b{_YEAR_TAIL}?",
    rf"(?:(?<=in )|(?<=since )|(?<=for )|(?<=and )|(?<=of )|(?<=to )|(?<=from )|(?<=about )|(?<=between )"
    rf"|(?<=until )|(?<=before )|(?<=after ))(?:may|mar)\b{_YEAR_TAIL}?",
    rf"\bmay (?:{YEAR})",
    rf"(?:{LAST} year's |{LAST} |this |this past |next )?{HOLIDAY}(?: {YEAR}| {LAST} year"
    rf"| this year)?(?![ ]?'s)|the holidays|(?:{LAST}|this) holiday season",
    rf"(?:the |(?<=in )|(?<=over )){SEASON}(?: of)?(?: {YEAR}| {LAST} year)?|{SEASON} (?:of )?(?:{YEAR})",
    rf"\b(?:19|20)\d\d\b(?![.,]\d|%| (?:dollars|bucks|euros|pounds))|{YEAR}(?<=\D)",
    rf"(?:mtd|ytd|qtd|wtd)|{UNIT} to date|so far(?: {THIS} {UNIT})?|of all time|all time|\bever\b",
    rf"(?:my |the )?(?:{LAST} |{NEXT} |this |the )?(?:payday|pay day|pay ?check|pay period|pay cycle)|(?:i|we)"
    rf" (?:last )?(?:got|was|were|get) paid",
    r"(?:month|year|week|quarter)[ -]end|the end of the (?:week|month|quarter|year)",
)
_ATOM = "(?:" + "|".join(f"(?:{atom})" for atom in _ATOMS) + ")"
_SO_FAR_TAIL = r"(?: so far| to date| until now| till now| up to now)"
_FINDERS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bbetween (?:the )?(?:{_ATOM}|{DAY_NUMBER}) and (?:the )?(?:{_ATOM}|{DAY_NUMBER})(?! (?:dollars"
        rf"|bucks|euros|cents|pounds))",
        rf"\b(?:from )?(?:the )?{_ATOM} ?(?:to|until|till|through|thru|-) ?(?:the )?(?:{_ATOM}|{DAY_NUMBER})\b",
        rf"\bfrom (?:the )?{DAY_NUMBER} (?:to|until|till|through|thru) (?:the )?{_ATOM}",
        rf"\b(?:ever )?(?:since|starting(?: from| in| on)?|beginning in|after|until|till|up to|before|by"
        rf"|between now and)(?: in| on)? (?:the )?(?:my )?(?:{_ATOM})",
        rf"\bfrom (?:the )?(?:{_ATOM}) (?:onwards?|on|until now|to today|till now)\b",
        rf"\bso far (?:{_ATOM})",
        rf"(?<![\w$€£.])(?:{_ATOM}){_SO_FAR_TAIL}?(?![\w])",
    )
)
#: A payday is a question of its own; only its use as a mark in time is a period.
_PAY_ALONE = re.compile(r"^(?:my |the )?(?:last |next |this |the )*(?:payday|pay day|pay ?check|(?:i|we) .*paid.*)$")


#: The first of them read ranges. Where two times are compared, "to" and "and" stand between two periods.
_RANGES = 3
_COMPARED = re.compile(r"\b(?:compar\w+|differ\w*|vs|versus|than|against|relative to)\b")


def find(text: str) -> list[Span]:
    """Where the text speaks of time, left to right, the longest readings; they do not overlap."""
    folded = fold(text)
    finders = _FINDERS[_RANGES:] if _COMPARED.search(folded) else _FINDERS
    spans = [Span(*match.span()) for finder in finders for match in finder.finditer(folded)]
    spans = [span for span in spans if not _PAY_ALONE.match(folded[span.start : span.end].strip())]
    chosen: list[Span] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        if all(span.end <= other.start or span.start >= other.end for other in chosen):
            chosen.append(span)
    return sorted(chosen, key=lambda s: s.start)
