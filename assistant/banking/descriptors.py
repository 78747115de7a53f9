"""From a bank descriptor to a name people know: what banks and processors add, taken off again."""

from __future__ import annotations

import re

from assistant.banking.phrases import words

#: Longest descriptor read; the rest says nothing about the merchant. FDX allows 256 characters.
_LONGEST = 200
#: Longest name shown.
_LONGEST_NAME = 40

_DATE = r"(?:\d{1,2}/\d{1,2}(?:/\d{2,4})?)"
#: What a bank writes before the merchant.
_BANK_PREFIX = re.compile(
    rf"""^(?:
        POS (?:\s(?:DEBIT|SIGNATURE\sPURCHASE|PIN\sPURCHASE|PURCHASE|WITHDRAWAL|PUR))?
      | (?:DEBIT|VISA|MASTERCARD|CHECK)\s(?:CARD|CRD|DEBIT|DDA)\s(?:PURCHASE|PUR)(?:\s{_DATE})?
      | (?:DEBIT|DBT|VISA|MASTERCARD|INTL|FOREIGN|CONTACTLESS|SIGNATURE|PIN|CARD)\s(?:PURCHASE|PUR)
      | DEBIT\sCARD | CHECKCARD(?:\s\d{{4}})? | DBT\sCRD(?:\s\d{{4}})?(?:\s{_DATE})?
      | (?:PURCHASE|PAYMENT|RECURRING\sPAYMENT|PURCHASE\sRETURN)\sAUTHORIZED\sON(?:\s{_DATE})?
      | RECURRING\s(?:DEBIT\sCARD\s|CARD\s)?(?:PURCHASE|PAYMENT|DEBIT|CHARGE)
      | PRE-?AUTHORIZED\s(?:DEBIT|CREDIT|WD)
      | (?:ACH|ELECTRONIC|EXTERNAL|WEB)\s(?:DEBIT|CREDIT|WITHDRAWAL|DEPOSIT|PAYMENT|PMT|AUTHORIZED\sPMT)
      | ORIG\sCO\sNAME | (?:BILL|ONLINE)\s(?:PAYMENT|PMT|PAY)(?!.?\sTHANK)(?:\s\d+)?(?:\sTO)?
      | (?:ZELLE|VENMO)(?:\sPAYMENT|\sCASHOUT)?\s(?:TO|FROM)
      | PENDING | REFUND | RETURN | SEPA\s(?:DD|DIRECT\sDEBIT|LASTSCHRIFT) | LASTSCHRIFT | KARTENZAHLUNG
    )[\s:*\-–]+(?=\S)""",
    re.VERBOSE,
)
#: Who took the payment for the merchant: Square, Toast, PayPal, Shopify, Stripe and others write a code and "*".
_PROCESSOR = re.compile(
    r"^(?:(?:SQ|SQC|TST|TOAST|PAYPAL|PP|SP|PY|CKE|FSP|BT|DD|IC|EB|ZTL|CLV|CLOVER|LEVELUP|WPY|IN|EZC|POY|PAR|NYX|CTLP|"
    r"STRIPE|SUMUP|ZETTLE|IZ|GPAY|APL|BPS|PAYU|ADY|FS|2CO|WL|PADDLE|PADDLE\.NET|KLARNA)\s?\*+\s?|SP\s(?=\S)|WWW\.)"
)
#: Where the merchant's name ends, as ACH entries have it ("ACME DES:PAYROLL ID:1 INDN:...", "ACME PAYROLL PPD ID: 1").
_TRAILER = re.compile(
    r"\s(?:DES:|INDN:|CO ID|ID:|ORIG ID|SEC:|PPD\b|CCD\b|WEB ID|TEL ID|TRACE|REF ?#|REF:|CONF ?#|CONFIRMATION"
    r"|CARD \d{4}\b|DIRECT DEP|DIR DEP|DIRDEP|PAYROLL\b|SALARY\b|BILL PAYMENT|AUTOPAY\b"
    r"|AUTO PAY\b|ONLINE PMT|WEB PMT|EPAY\b|PMT\b|PYMT\b|#).*$"
)
#: Store numbers, dates, card digits, phone numbers, times and references: the name ends before the first of them.
_JUNK_WORD = re.compile(
    rf"""^(?: \d{{3,}} | [A-Z]{{1,2}}\d{{3,}} | {_DATE} | \d{{4}}-\d\d-\d\d | \d\d:\d\d\S* | [X*.]{{2,}}\d+
      | \(?\d{{3}}\)?[-.]\d{{3}}[-.]?\d{{4}} | \d-\d{{3}}-\S+ | \d{{3}}-\S*\d\S*
      | (?=\D*\d)(?=[^A-Z]*[A-Z])[A-Z0-9]{{7,}} )$""",
    re.VERBOSE,
)
_COLUMN = re.compile(r"\s{2,}")
_STATES = frozenset(
    words(
        "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH "
        "OK OR PA PR RI SC SD TN TX UT VT VA WA WV WI WY"
    )
)
_COUNTRIES = frozenset(words("US USA GB GBR DE DEU FR FRA CA CAN IE IRL NL NLD ES ESP IT ITA MX MEX JP JPN"))
_COMPANY_FORMS = frozenset(words("LLC INC CORP LTD GMBH SARL PLLC"))
_SMALL = frozenset(words("a of the and at to in on for de la du von und by from"))


def strip_prefixes(descriptor: str, *, columns: bool = False) -> str:
    """Upper case and on one line, without what the bank and the payment processor wrote before the merchant.

    ``columns``: two spaces end the name, as in descriptors that keep the card networks' fixed columns.
    """
    shown = descriptor[:_LONGEST].strip()
    if not shown.isprintable():
        shown = "".join(c if c.isprintable() else " " for c in shown).strip()
    name = _COLUMN.split(shown, maxsplit=1)[0] if columns else shown
    text = " ".join((name if name == shown or sum(map(str.isalpha, name)) > 3 else shown).upper().split())
    while True:
        shorter = _PROCESSOR.sub("", _BANK_PREFIX.sub("", text, count=1), count=1)
        if shorter == text:
            return text
        text = shorter


def readable_name(stripped: str, cities: frozenset[tuple[str, ...]], acronyms: frozenset[str] = frozenset()) -> str:
    """The merchant's name out of what ``strip_prefixes`` left: no store number, phone, date, city or state.

    ``cities`` are upper-case cities of several words, ``acronyms`` words that stay capitals. "" when nothing that
    reads as a name is left.
    """
    parts = _TRAILER.sub("", stripped).replace("*", " ").split()
    for position, part in enumerate(parts):
        if position and (_JUNK_WORD.match(part) or part.strip(".,") in _COMPANY_FORMS):
            parts = parts[:position]
            break
    parts = _without_place(parts, cities)
    name = " ".join(parts).strip(" -*#:,./")
    if not any(c.isalpha() for c in name):
        return ""
    return title(name, acronyms)[:_LONGEST_NAME].rstrip()


def title(name: str, acronyms: frozenset[str] = frozenset()) -> str:
    """ "BLUE DOOR CAFE" as "Blue Door Cafe"; acronyms and short names without vowels stay capitals ("CVS")."""
    shown = []
    for position, word in enumerate(name.split()):
        letters = word.strip(".,'&-()")
        if set(letters.split("/")) <= acronyms or (
            len(letters) in (2, 3) and not set(letters) & set("AEIOUY") and letters.isalpha()
        ):
            shown.append(word)
        elif position and word in _SMALL:
            shown.append(word.lower())
        else:
            shown.append("-".join(piece[:1] + piece[1:].lower() for piece in word.split("-")))
    return " ".join(shown).removesuffix(".com")


def _without_place(parts: list[str], cities: frozenset[tuple[str, ...]]) -> list[str]:
    """Card descriptors end in city, state and sometimes country (ISO 8583 field 43)."""
    kept = list(parts)
    if len(kept) > 2 and kept[-1] in _COUNTRIES and (kept[-2] in _STATES or kept[-1] not in _STATES):
        kept.pop()
    if len(kept) < 2 or kept[-1] not in _STATES:
        return kept
    kept.pop()
    for size in (3, 2):
        if len(kept) > size and tuple(kept[-size:]) in cities:
            return kept[:-size]
    return kept[:-1] if len(kept) > 1 else kept
