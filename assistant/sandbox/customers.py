"""Four customers who live differently. Amounts in cents; see people.py for what each field means."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from assistant.sandbox.people import (
    Bill,
    Buffer,
    Exchange,
    Habit,
    Income,
    Invoices,
    Move,
    Person,
    Trip,
    card,
    checking,
    loan,
    savings,
)

_MAYA = Person(
    "maya",
    "Maya Okafor",
    (
        checking("checking", "Everyday Checking", "4729", 284_150),
        savings("vacation", "Online Savings", "8810", 92_000, nickname="Vacation Fund", rate=310),
        savings("rainy", "High Yield Savings", "2207", 610_000, nickname="Rainy Day", rate=410),
        card("card", "Cash Rewards Visa", "3391", -61_240, rate=2199, limit=600_000, closes=24, due=19,
             pays_from="checking", foreign_fee=True),
    ),
    incomes=(Income("checking", 221_840, "NORTHWIND LOGISTICS DES:PAYROLL ID:88213 INDN:MAYA OKAFOR", "biweekly"),),
    bills=(
        Bill("checking", 1, 178_000, "ZELLE PAYMENT TO LARCH STREET PROPERTIES", rise_month=7, rise=4_000,
             kind="TRANSFER", payee="Larch Street Properties"),
        Bill("checking", 11, 8_900, "CON ED OF NY DES:INTELL CK ID:4417", "4900", seasonal=True, spread=12),
        Bill("checking", 18, 6_999, "COMCAST CABLE COMM 800-266-2278 PA", "4899", rise_month=6, rise=500),
        Bill("card", 22, 6_000, "TMOBILE*AUTO PAY 800-937-8997 WA", "4814", spread=0),
        Bill("card", 7, 1_349, "NETFLIX.COM 866-579-7172 CA", "4899", rise_month=10, rise=150),
        Bill("card", 14, 999, "PAYPAL *SPOTIFY 402-935-7733 CA", "5815", rise_month=2, rise=50),
        Bill("card", 3, 299, "APPLE.COM/BILL 866-712-7753 CA", "5818"),
        Bill("card", 17, 2_500, "PLANET FIT CLUB FEES 603-750-0001 NH", "7997", rise_month=1, rise=100),
        Bill("card", 20, 1_200, "LEMONADE INSURANCE 844-733-8666 NY", "6300"),
        Bill("card", 9, 1_700, "NYTIMES*NYTimes 800-698-4637 NY", "5968"),
        Bill("card", 26, 13_900, "AMAZON PRIME*{code} Amzn.com/bill WA", "5968", months=(4,)),
        Bill("checking", 12, 2_500, "CHECK", months=(3, 6, 9, 12), kind="CHECK"),
    ),
    habits=(
        Habit("card", "groceries-nyc", 0.30, 0.50),
        Habit("card", "coffee-nyc", 0.45, 0.30),
        Habit("card", "dining-nyc", 0.20, 0.55),
        Habit("card", "transit-nyc", 0.80, 0.40),
        Habit("card", "online", 0.10, 0.14),
        Habit("card", "clothing", 0.02, 0.08),
        Habit("card", "pharmacy", 0.05, 0.06),
        Habit("checking", "cash", 0.03, 0.05),
    ),
    moves=(Move("checking", "vacation", 15, 20_000), Move("checking", "rainy", 16, 25_000)),
    trips=(Trip("card", "trip-lisbon", 9, 12, 8), Trip("card", "trip-lisbon", 2, 14, 4)),
    buffers=(
        Buffer("checking", "rainy", 60_000, 550_000, 2_400_000),
        Buffer("checking", "vacation", savings_cap=480_000),
    ),
    duplicates=("card", "dining-nyc"),
)  # fmt: skip

_JORDAN = Person(
    "jordan",
    "Jordan Blake",
    (
        checking("checking", "Student Checking", "5150", 41_260),
        savings("savings", "Way to Save", "0093", 90_000, nickname="Spring Break", rate=25),
        card("card", "Student Cash Visa", "7714", -18_455, rate=1999, limit=150_000, closes=20, due=15,
             pays_from="checking"),
        loan("STUDENTLOAN", "loan", "Direct Unsubsidized Loan", "6630", -1_840_000, rate=505, due=21, payment=9_500,
             pays_from="checking", original=1_900_000, matures=date(2041, 9, 21)),
    ),
    incomes=(
        Income("checking", 46_210, "UNIV OF MICHIGAN DES:DIR DEP ID:STU4471 INDN:JORDAN BLAKE", "biweekly",
               anchor=date(2022, 1, 14)),
        Income("checking", 15_000, "ZELLE PAYMENT FROM PAT BLAKE", "monthly", day=2, raise_percent=0, kind="TRANSFER"),
    ),
    bills=(
        Bill("checking", 4, 52_500, "VENMO PAYMENT 1029384756 DES:RENT", rise_month=9, rise=1_500, kind="TRANSFER",
             payee="Venmo"),
        Bill("card", 12, 599, "SPOTIFY USA 877-778-1161 NY", "5815", rise_month=2, rise=25),
        Bill("card", 8, 799, "HULU 877-8244858 CA", "4899", rise_month=10, rise=100),
        Bill("checking", 19, 3_500, "MINT MOBILE 800-683-7392 CA", "4814"),
        Bill("card", 28, 199, "PAYPAL *DISCORD 402-935-7733 CA", "5816"),
    ),
    habits=(
        Habit("checking", "groceries-annarbor", 0.18, 0.35),
        Habit("card", "coffee-annarbor", 0.30, 0.12),
        Habit("checking", "dining-annarbor", 0.16, 0.32),
        Habit("card", "campus", 0.05, 0.06),
        Habit("checking", "cash", 0.01, 0.03),
    ),
    moves=(Move("checking", "savings", 3, 5_000),),
    buffers=(Buffer("checking", "savings", cap=110_000, savings_cap=140_000),),
    duplicates=("checking", "dining-annarbor"),
)  # fmt: skip

_RIVERA = Person(
    "rivera",
    "Elena Rivera",
    (
        checking("checking", "Joint Checking", "6021", 612_480, nickname="Household"),
        savings("emergency", "Premier Savings", "3377", 1_450_000, nickname="Emergency Fund", rate=400),
        savings("college", "Premier Savings", "3385", 880_000, nickname="College Fund", rate=400),
        card("travel", "Travel Rewards Visa", "1188", -540_000, rate=2349, limit=1_200_000, closes=26, due=22,
             pays_from="checking", carry=520_000, foreign_fee=True),
        card("store", "Double Cash Mastercard", "9034", -210_000, rate=2699, limit=500_000, closes=12, due=8,
             pays_from="checking", carry=190_000),
        loan("MORTGAGE", "mortgage", "30-Year Fixed Mortgage", "4410", -33_650_000, rate=412, due=1, payment=241_255,
             escrow=71_400, pays_from="checking", original=34_500_000, matures=date(2050, 12, 1)),
        loan("AUTOLOAN", "auto", "Auto Loan", "7702", -3_180_000, rate=489, due=10, payment=51_212,
             pays_from="checking", original=3_240_000, matures=date(2028, 1, 10)),
    ),
    incomes=(
        Income("checking", 278_044, "SETON HEALTH SYS DES:PAYROLL ID:20117 INDN:ELENA RIVERA", "biweekly"),
        Income("checking", 361_290, "AUSTIN ISD DES:SALARY ID:AISD-5521 INDN:MARCO RIVERA", "monthly", day=25),
    ),
    bills=(
        Bill("checking", 5, 118_000, "BRIGHT HORIZONS #4410 DES:TUITION", "8351", rise_month=9, rise=3_000),
        Bill("checking", 14, 16_400, "CITY OF AUSTIN T/PYMT DES:UTILITY", "4900", seasonal=True, spread=10),
        Bill("checking", 16, 5_200, "TEXAS GAS SERVICE 800-700-2443", "4900", spread=25),
        Bill("checking", 20, 8_500, "ATT* BILL PAYMENT 800-288-2020 TX", "4814", rise_month=3, rise=300),
        Bill("checking", 9, 18_900, "GEICO *AUTO 800-841-3000 DC", "6300", rise_month=8, rise=700),
        Bill("travel", 21, 7_000, "GOOGLE *FIBER 866-777-7550 CA", "4899"),
        Bill("travel", 2, 1_549, "NETFLIX.COM 866-579-7172 CA", "4899", rise_month=10, rise=150),
        Bill("travel", 4, 1_499, "HULU 877-8244858 CA", "4899", rise_month=10, rise=100),
        Bill("travel", 6, 1_099, "DISNEY PLUS 888-9057888 CA", "4899", rise_month=10, rise=150),
        Bill("travel", 8, 1_599, "HELP.MAX.COM 855-4425629 NY", "4899", rise_month=6, rise=50),
        Bill("travel", 11, 1_599, "PAYPAL *SPOTIFY 402-935-7733 CA", "5815", rise_month=2, rise=50),
        Bill("travel", 13, 1_199, "GOOGLE *YouTubePremium g.co/helppay# CA", "5815", rise_month=1, rise=50),
        Bill("travel", 15, 1_499, "AMAZON PRIME*{code} Amzn.com/bill WA", "5968"),
        Bill("travel", 17, 999, "APPLE.COM/BILL 866-712-7753 CA", "5818"),
        Bill("travel", 18, 1_495, "Audible*{code} Amzn.com/bill NJ", "5815"),
        Bill("travel", 19, 1_699, "MICROSOFT*XBOX GAME PASS MSBILL.INFO WA", "5816", rise_month=9, rise=100),
        Bill("store", 23, 4_400, "PELOTON* MEMBERSHIP 866-679-9129 NY", "5941"),
        Bill("store", 24, 1_199, "DROPBOX*{code} DROPBOX.COM CA", "5734"),
        Bill("store", 27, 1_000, "RING YEARLY PLAN RING.COM CA", "7382", months=(5,)),
        Bill("store", 28, 1_995, "SIRIUSXM.COM/ACCT 888-635-5144 NY", "4899", rise_month=3, rise=100),
        Bill("store", 3, 2_499, "YMCA OF AUSTIN 512-322-9622 TX", "7997"),
        Bill("checking", 15, 5_000, "CENTRAL TX FOOD BANK DES:DONATION", "8398"),
    ),
    habits=(
        Habit("travel", "groceries-austin", 0.22, 0.45),
        Habit("travel", "dining-austin", 0.14, 0.40),
        Habit("store", "gas-austin", 0.16, 0.20),
        Habit("store", "family", 0.07, 0.20),
        Habit("checking", "clinic", 0.05, 0.01),
        Habit("checking", "cash", 0.01, 0.05),
        Habit("travel", "online", 0.08, 0.10),
    ),
    moves=(Move("checking", "college", 26, 30_000), Move("checking", "emergency", 27, 15_000)),
    trips=(Trip("travel", "trip-cancun", 3, 8, 6), Trip("travel", "trip-cancun", 7, 18, 5)),
    buffers=(
        Buffer("checking", "emergency", 150_000, 900_000, 2_600_000),
        Buffer("checking", "college", savings_cap=2_800_000),
    ),
    duplicates=("travel", "dining-austin"),
)  # fmt: skip

_ALEX = Person(
    "alex",
    "Alex Lindqvist",
    (
        checking("checking", "Advantage Checking", "3318", 318_700),
        checking("studio", "Business Checking", "2750", 845_000, nickname="Studio"),
        checking("euro", "Multi-Currency Account", "9921", 214_000, nickname="Euro Account", currency="EUR"),
        savings("tax", "Business Savings", "4463", 520_000, nickname="Tax Set-Aside", rate=350),
        card("card", "Business Platinum Card", "4402", -128_310, rate=2099, limit=1_500_000, closes=18, due=13,
             pays_from="studio"),
    ),
    invoices=(
        Invoices("studio", "STRIPE DES:TRANSFER ID:ST-K4J8 INDN:LINDQVIST STUDIO", 0.55, 640, 2_900),
        Invoices("studio", "ACH CREDIT HALDEN & CO DES:INVOICE", 0.30, 1_800, 5_200),
        Invoices("studio", "WIRE TYPE:WIRE IN ORIG:MERIDIAN FILMS LTD", 0.08, 3_500, 9_000, fee=1_500),
        Invoices("euro", "SEPA CREDIT NORDLICHT STUDIO GMBH", 0.28, 700, 2_600),
    ),
    bills=(
        Bill("checking", 1, 164_500, "ONLINE PMT PEARL DISTRICT APTS", "6513", rise_month=5, rise=3_500,
             payee="Pearl District Apts"),
        Bill("checking", 13, 7_400, "PORTLAND GENERAL DES:ELECTRIC", "4900", seasonal=True, spread=10),
        Bill("checking", 19, 7_999, "COMCAST CABLE COMM 800-266-2278 OR", "4899", rise_month=6, rise=500),
        Bill("checking", 6, 38_640, "REGENCE BCBS OR DES:PREMIUM", "6300", rise_month=1, rise=1_200),
        Bill("card", 5, 29_900, "WEWORK 877-503-9675 NY", "6513"),
        Bill("card", 2, 5_499, "ADOBE *CREATIVE CLOUD 408-536-6000 CA", "5734", rise_month=10, rise=100),
        Bill("card", 10, 1_500, "FIGMA MONTHLY RENEWAL FIGMA.COM CA", "5734"),
        Bill("card", 16, 400, "GITHUB, INC. 877-448-4820 CA", "7372"),
        Bill("card", 23, 1_000, "NOTION LABS, INC. NOTION.SO CA", "5734", rise_month=9, rise=100),
        Bill("card", 25, 1_349, "NETFLIX.COM 866-579-7172 CA", "4899", rise_month=10, rise=150),
        Bill("card", 27, 1_850, "HETZNER ONLINE GMBH GUNZENHAUSEN", "7372", foreign=(1_690, "EUR")),
        Bill("euro", 8, 2_900, "SEPA LASTSCHRIFT KUENSTLERSOZIALKASSE", spread=0),
        Bill("tax", 15, 410_000, "IRS DES:USATAXPYMT ID:225041", "9311", months=(1, 4, 6, 9), spread=15),
        Bill("studio", 28, 3_000, "MONTHLY SERVICE FEE", kind="FEE"),
    ),
    habits=(
        Habit("checking", "groceries-portland", 0.26, 0.40),
        Habit("card", "coffee-portland", 0.42, 0.40),
        Habit("card", "dining-portland", 0.16, 0.34),
        Habit("card", "transport-portland", 0.24, 0.22),
        Habit("card", "studio", 0.05, 0.04),
        Habit("euro", "europe", 0.05, 0.03),
        Habit("card", "online", 0.05, 0.07),
        Habit("checking", "cash", 0.02, 0.04),
    ),
    moves=(Move("studio", "checking", 3, 290_000), Move("studio", "tax", 20, 140_000)),
    exchanges=(Exchange("euro", "studio", 12, 350_000),),
    trips=(Trip("card", "trip-berlin", 5, 20, 9), Trip("card", "trip-berlin", 10, 9, 7)),
    buffers=(
        Buffer("checking", "tax", 40_000, 420_000),
        Buffer("studio", "tax", 80_000, 1_400_000, 2_600_000),
    ),
    duplicates=("card", "coffee-portland"),
)  # fmt: skip

#: Everyone's.
PASSWORD = "sandbox"  # noqa: S105  # a published demo password, of nobody

#: By login.
CUSTOMERS = {person.login: person for person in (_MAYA, _JORDAN, _RIVERA, _ALEX)}

MAX_BULK = 1_000_000


def bulk(count: int) -> Person:
    """A synthetic customer with exactly ``count`` transactions on one account, for measuring how answers grow."""
    return Person(f"bulk-{count}", "Bulk Customer", (checking("checking", "Everyday Checking", "0001", 0),), bulk=count)


#: "maya-planted" lives maya's days, and has her card misused besides: to judge by how well that is noticed.
PLANTED = "planted"


def find(login: str) -> Person | None:
    """The customer of that login; "bulk-<n>" makes one with n transactions, "<login>-planted" one with frauds."""
    if login in CUSTOMERS:
        return CUSTOMERS[login]
    name, _, number = login.partition("-")
    if name in CUSTOMERS and number == PLANTED:
        return replace(CUSTOMERS[name], login=login, lives_as=name, defrauded=True)
    if name == "bulk" and number.isdecimal() and number.isascii() and str(int(number)) == number:
        count = int(number)
        return bulk(count) if 1 <= count <= MAX_BULK else None
    return None
