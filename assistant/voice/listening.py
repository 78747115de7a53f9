"""What a recogniser writes, as a person would have typed it. For channels on which people speak, before NLU.

A recogniser writes what it heard in words it likes: an account's digits as a sum, "pay" as "hey", a pause as a comma.
Each rule below undoes one such habit, and only where nobody would have typed it so; tests/sentences is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

#: Sounds that recognisers describe: "[BLANK_AUDIO]", "(coughing)", "♪ music ♪".
_DESCRIBED = re.compile(r"\[[^\]]*\]|\([a-z ]+\)|[♪♫*][^♪♫*]*[♪♫*]", re.IGNORECASE)
#: Pauses and hesitation; "uh huh" and "mm hmm" are a yes.
_FILLERS = re.compile(
    r"(?<![\w'])(?<!mm[ -])(?:u+m+|u+h+m*|e+rm+|h+m{2,}|m{2,})(?![\w'])(?![ -](?:huh|hm+)\b)[,.]?", re.IGNORECASE
)

_ENDING = r"(?:end(?:ing|s|ed)?|finish(?:ing|es))"
_SPOKEN_DIGIT = r"(?:zero|oh|o|one|won|two|to|too|three|tree|four|for|five|six|seven|eight|ate|nine|\d)"
_DIGIT_OF = {
    "zero": "0", "oh": "0", "o": "0", "one": "1", "won": "1", "two": "2", "to": "2", "too": "2", "three": "3",
    "tree": "3", "four": "4", "for": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "ate": "8", "nine": "9",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Habit:
    """``pattern`` as a recogniser writes it, ``meant`` as people do: a replacement, or what makes one of a match."""

    pattern: re.Pattern[str]
    meant: str | Callable[[re.Match[str]], str]


def _habit(pattern: str, meant: str | Callable[[re.Match[str]], str]) -> Habit:
    return Habit(re.compile(pattern, re.IGNORECASE), meant)


def _digits(match: re.Match[str]) -> str:
    """All digits of a match, spoken or written, in one run; what stands before them is kept."""
    found = re.findall(_SPOKEN_DIGIT, match["digits"], re.IGNORECASE)
    return match["before"] + "".join(_DIGIT_OF.get(one.lower(), one) for one in found)


#: In this order.
_HABITS = (
    # An account's end: "ending and 4729", "ending in 4,7,2,9", "ends in 4.729", "ending in for 729".
    _habit(rf"\b({_ENDING}) (?:and|an|on|him|within)(?= {_SPOKEN_DIGIT}(?:\d|\b))", r"\1 in"),
    _habit(
        rf"(?P<before>\b{_ENDING} in |\blast four(?: digits)?(?: are| is)? )"
        rf"(?P<digits>(?:{_SPOKEN_DIGIT}(?:[ ,.-]+|(?=\d)|\b)){{4}})(?![\d%])",
        _digits,
    ),
    _habit(rf"(?P<before>\b{_ENDING} in )(?P<digits>\$?\d,\d{{3}}|\$?\d\d[ -]\d\d)(?![\d,.])", _digits),
    # Digits that were read out, anywhere: "4, 7, 2, 9" is no list of numbers.
    _habit(r"(?P<before>)(?P<digits>(?<![\d.,$])\d(?:, ?\d|-\d){2,}(?![\d.,]*\d))", _digits),
    # Amounts: "$1, 200", "$42 and 50 cents", "42 dollars 50".
    _habit(r"(\$\d{1,3}), (\d{3})\b", r"\1,\2"),
    _habit(r"\$(\d[\d,]*) (?:and )?(\d\d) cents\b", r"$\1.\2"),
    _habit(r"(?<![\d.,$])(\d[\d,]*) dollars (?:and )?(\d\d)(?: cents)?(?![\d.,%]| dollars)\b", r"$\1.\2"),
    # "Pay" and "hey" sound alike; what follows tells them apart.
    _habit(r"^(?:hey|pale|page) (?=(?:my|the|off|this) (?:\w+ )?(?:bill|card|credit|loan|mortgage|rent)\b)", "pay "),
    _habit(r"^pay (?=(?:there|you|tellerline)\W*$)", "hey "),
    # Accounts.
    _habit(r"\b(?:check in|checkin|chicken|czech in|checking's|chequing) (?=account|acount|balance)", "checking "),
    _habit(r"\b(?:saving's|savings'|safe ins|savings is) (?=account)", "savings "),
    _habit(r"\b(?:visor|viza|vista|these are|vis a) (?=card)", "visa "),
    _habit(r"\b(?:more gage|more gauge|morgage|mortgages?'s)\b", "mortgage"),
    _habit(r"\b(found|fond)(?= (?:account|balance)\b)", "fund"),
    # Words of this trade that recognisers hear as commoner ones.
    _habit(r"\b(how much (?:did|do) (?:i|we)) (?:spin|span|spent|spend's)\b", r"\1 spend"),
    _habit(r"\b(my|the) (?:valance|ballance|balanced)(?=$| (?:of|on|in|for)\b)", r"\1 balance"),
    _habit(r"\bpen (?=(?:number|code)\b)", "PIN "),
    _habit(r"\bpay ?days?(?='s\b)", "payday"),
    _habit(r"\b(?:net flicks|net flix|netflicks)\b", "Netflix"),
    _habit(r"\b(?:calm cast|com cast|comcasts)\b", "Comcast"),
    _habit(r"\b(?:spot if i|spotty fi|spot a fi)\b", "Spotify"),
    _habit(r"\b(?:cosco|cost co|costcos)\b", "Costco"),
    _habit(r"\bwall mart\b", "Walmart"),
    _habit(r"\bstar bucks\b", "Starbucks"),
    _habit(r"\bdoor dash\b", "DoorDash"),
    _habit(r"\b(?:a|80) ?t (?:and|&) ?t\b", "AT&T"),
    _habit(r"\b(?:tea|tee) mobile\b", "T-Mobile"),
)  # fmt: skip


def as_typed(heard: str) -> str:
    """What was meant by a recogniser's text; "" when nobody said a word."""
    text = _DESCRIBED.sub(" ", heard.replace("’", "'"))
    text = " ".join(_FILLERS.sub(" ", text).split()).strip(' ,;:-"“”')
    text = re.sub(r"(?<=\w)[.!?]+$", "", text).lstrip(".,!? ")
    for habit in _HABITS:
        text = habit.pattern.sub(habit.meant, text)
    return text if any(character.isalnum() for character in text) else ""
