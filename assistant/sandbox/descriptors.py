"""Shops and how they write themselves on a bank statement: the raw text a connector really meets.

``{code}`` is filled with a random order code, ``{store}`` with a store number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shop:
    """``name`` is shown while pending, ``name`` and ``tail`` once posted. Prices in cents of the card's currency,
    or of ``currency`` abroad. ``tips`` means the posted amount is higher than the authorised one."""

    name: str
    tail: str
    mcc: str
    low: int
    high: int
    tips: bool = False
    currency: str = ""


def _shop(name: str, tail: str, mcc: str, low: float, high: float, *, tips: bool = False, currency: str = "") -> Shop:
    return Shop(name, tail, mcc, round(low * 100), round(high * 100), tips, currency)


_ONLINE = (
    _shop("AMZN Mktp US*{code}", "Amzn.com/bill WA", "5942", 8, 120),
    _shop("AMZN Mktp US*{code}", "Amzn.com/bill WA", "5942", 11, 64),
    _shop("TARGET.COM *", "800-591-3869 MN", "5310", 15, 90),
    _shop("ETSY.COM*{code}", "718-8557955 NY", "5999", 14, 60),
    _shop("BESTBUYCOM{code}", "888-237-8289 MN", "5732", 25, 260),
)

#: By the group a habit names.
SHOPS: Mapping[str, tuple[Shop, ...]] = {
    "online": _ONLINE,
    "groceries-nyc": (
        _shop("TRADER JOE S #{store}", "BROOKLYN NY", "5411", 22, 78),
        _shop("WHOLEFDS BKN {store}", "BROOKLYN NY", "5411", 18, 96),
        _shop("KEY FOOD {store}", "BROOKLYN NY", "5411", 9, 54),
    ),
    "coffee-nyc": (
        _shop("SQ *BLUE DOOR CAFE 0341", "Brooklyn NY", "5814", 4, 13),
        _shop("STARBUCKS STORE {store}", "NEW YORK NY", "5814", 4, 12),
        _shop("SQ *LITTLE SPARROW COFFEE", "Brooklyn NY", "5814", 4, 11),
    ),
    "dining-nyc": (
        _shop("TST* LUPA TRATTORIA", "Brooklyn NY", "5812", 28, 84, tips=True),
        _shop("TST* GREEN PAPAYA THAI", "Brooklyn NY", "5812", 18, 52, tips=True),
        _shop("CHIPOTLE {store}", "NEW YORK NY", "5814", 11, 19),
        _shop("DD *DOORDASH SWEETGREE", "855-973-1040 CA", "5812", 16, 34),
        _shop("SQ *THE ANCHOR BAR", "Brooklyn NY", "5813", 14, 48, tips=True),
    ),
    "transit-nyc": (
        _shop("MTA*NYCT PAYGO", "NEW YORK NY", "4111", 2.90, 2.90),
        _shop("MTA*NYCT PAYGO", "NEW YORK NY", "4111", 2.90, 2.90),
        _shop("UBER *TRIP", "HELP.UBER.COM CA", "4121", 11, 42),
        _shop("LYFT *RIDE", "LYFT.COM CA", "4121", 10, 36),
    ),
    "clothing": (
        _shop("UNIQLO USA LLC", "NEW YORK NY", "5651", 19, 110),
        _shop("NORDSTROM RACK #{store}", "800-285-5800 WA", "5651", 24, 140),
        _shop("ZARA USA {store}", "NEW YORK NY", "5651", 29, 130),
    ),
    "pharmacy": (
        _shop("CVS/PHARMACY #{store}", "800-746-7287 RI", "5912", 6, 41),
        _shop("WALGREENS #{store}", "800-925-4733 IL", "5912", 5, 38),
    ),
    "groceries-annarbor": (
        _shop("KROGER #{store}", "ANN ARBOR MI", "5411", 8, 46),
        _shop("MEIJER # {store}", "ANN ARBOR MI", "5411", 9, 52),
    ),
    "coffee-annarbor": (
        _shop("SQ *ROOS ROAST COFFEE", "Ann Arbor MI", "5814", 3, 8),
        _shop("STARBUCKS STORE {store}", "ANN ARBOR MI", "5814", 4, 8),
    ),
    "dining-annarbor": (
        _shop("JIMMY JOHNS - {store}", "ANN ARBOR MI", "5814", 8, 15),
        _shop("TST* FRITA BATIDOS", "Ann Arbor MI", "5812", 13, 27, tips=True),
        _shop("UBER   *EATS", "HELP.UBER.COM CA", "5812", 14, 29),
        _shop("MCDONALD'S F{store}", "ANN ARBOR MI", "5814", 6, 13),
    ),
    "campus": (
        _shop("STEAMGAMES.COM 4259522985", "BELLEVUE WA", "5816", 5, 60),
        _shop("UM BOOKSTORE {store}", "ANN ARBOR MI", "5942", 12, 90),
        _shop("AMZN Mktp US*{code}", "Amzn.com/bill WA", "5942", 8, 44),
        _shop("ASOS.COM", "LONDON", "5651", 18, 62, currency="GBP"),
    ),
    "groceries-austin": (
        _shop("H-E-B #{store}", "AUSTIN TX", "5411", 38, 196),
        _shop("COSTCO WHSE #{store}", "AUSTIN TX", "5300", 94, 312),
        _shop("WHOLEFDS LMR {store}", "AUSTIN TX", "5411", 22, 118),
    ),
    "gas-austin": (
        _shop("SHELL OIL 5744{store}", "AUSTIN TX", "5541", 34, 68),
        _shop("EXXONMOBIL 4811{store}", "AUSTIN TX", "5541", 31, 72),
        _shop("BUC-EE'S #{store}", "BASTROP TX", "5541", 38, 84),
    ),
    "dining-austin": (
        _shop("TORCHYS TACOS {store}", "AUSTIN TX", "5812", 24, 61),
        _shop("TST* LORO AUSTIN", "Austin TX", "5812", 48, 118, tips=True),
        _shop("CHICK-FIL-A #{store}", "AUSTIN TX", "5814", 18, 44),
        _shop("SQ *SUMMER MOON COFFEE", "Austin TX", "5814", 6, 22),
    ),
    "family": (
        _shop("TARGET        {store}", "AUSTIN TX", "5310", 24, 142),
        _shop("THE HOME DEPOT #{store}", "AUSTIN TX", "5200", 19, 210),
        _shop("OLD NAVY US {store}", "AUSTIN TX", "5651", 28, 120),
        _shop("PETSMART # {store}", "AUSTIN TX", "5995", 31, 96),
        _shop("AMZN Mktp US*{code}", "Amzn.com/bill WA", "5942", 12, 130),
    ),
    "clinic": (
        _shop("AUSTIN REG CLINIC", "512-272-4636 TX", "8011", 25, 140),
        _shop("CVS/PHARMACY #{store}", "AUSTIN TX", "5912", 9, 62),
    ),
    "groceries-portland": (
        _shop("NEW SEASONS MKT {store}", "PORTLAND OR", "5411", 19, 98),
        _shop("FRED-MEYER #{store}", "PORTLAND OR", "5411", 14, 76),
    ),
    "coffee-portland": (
        _shop("SQ *HEART COFFEE ROASTERS", "Portland OR", "5814", 5, 14),
        _shop("SQ *COAVA COFFEE", "Portland OR", "5814", 4, 12),
    ),
    "dining-portland": (
        _shop("TST* LUC LAC KITCHEN", "Portland OR", "5812", 21, 58, tips=True),
        _shop("POK POK NOODLE BAR", "PORTLAND OR", "5812", 19, 49),
    ),
    "transport-portland": (
        _shop("TRIMET HOP FASTPASS", "PORTLAND OR", "4111", 5, 20),
        _shop("UBER *TRIP", "HELP.UBER.COM CA", "4121", 12, 44),
    ),
    "studio": (
        _shop("B&H PHOTO 800-606-6969", "NEW YORK NY", "5732", 40, 480),
        _shop("BLICK ART {store}", "PORTLAND OR", "5970", 18, 95),
        _shop("APPLE.COM/US", "800-676-2775 CA", "5732", 19, 199),
    ),
    "trip-lisbon": (
        _shop("PASTEIS DE BELEM", "LISBOA", "5812", 6, 24, currency="EUR"),
        _shop("CP COMBOIOS PORTUGAL", "LISBOA", "4112", 5, 42, currency="EUR"),
        _shop("PINGO DOCE CHIADO", "LISBOA", "5411", 8, 36, currency="EUR"),
        _shop("HOTEL MUNDIAL", "LISBOA", "7011", 88, 164, currency="EUR"),
    ),
    "trip-cancun": (
        _shop("REST LA HABICHUELA", "CANCUN ROO", "5812", 480, 1900, currency="MXN"),
        _shop("OXXO GAS HOTELERA", "CANCUN ROO", "5499", 90, 420, currency="MXN"),
        _shop("XCARET PARQUES", "PLAYA DEL CARM", "7996", 1400, 4200, currency="MXN"),
    ),
    "trip-berlin": (
        _shop("DB VERTRIEB GMBH", "FRANKFURT", "4112", 19, 88, currency="EUR"),
        _shop("EDEKA MITTE", "BERLIN", "5411", 8, 41, currency="EUR"),
        _shop("SUMUP *CAFE EINSTEIN", "BERLIN", "5812", 7, 38, currency="EUR"),
    ),
    "europe": (
        _shop("DB VERTRIEB GMBH", "FRANKFURT", "4112", 19, 128),
        _shop("HETZNER ONLINE GMBH", "GUNZENHAUSEN", "7372", 12, 38),
        _shop("MODULOR GMBH", "BERLIN", "5970", 22, 140),
    ),
    "cash": (_shop("WITHDRAWAL ATM #{store}", "NON-NETWORK", "6011", 40, 160),),
}

#: Mid-market rates, US dollars for one unit. A day's wobble is added by the history.
RATES: Mapping[str, float] = {"EUR": 1.09, "GBP": 1.27, "MXN": 0.055}
