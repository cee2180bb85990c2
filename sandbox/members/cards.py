"""The test cards: the accounts that a reset puts back, and the cards that answer with a code."""

from sandbox.members.models import Member

# A card of this prefix answers with the code its last four digits spell.
CODE_CARD_PREFIX = "8000000"
CODE_CARD_LENGTH = 11

_REGULAR = {"cash_miles": 1200, "dream_miles": 545}
ISSUANCE_CARDS = ("80000020202", "80000020203", "80000020400", "80000020500", "80000020207")


def code_spelled_by(collector: str) -> str:
    """Return the code a card spells, or nothing for any other number."""
    if len(collector) == CODE_CARD_LENGTH and collector.startswith(CODE_CARD_PREFIX):
        return collector[len(CODE_CARD_PREFIX) :]
    return ""


def code_card(collector: str) -> Member:
    """Return the account behind a card that spells a code, as if nobody had used it yet."""
    return Member(collector=collector, answers_code=code_spelled_by(collector), **_REGULAR)


def all_cards() -> list[Member]:
    """Return the accounts of the table of test cards, unsaved."""
    return [
        Member(collector="80000010001", **_REGULAR),
        Member(collector="80000010002", cash_miles=0, dream_miles=4000),
        Member(collector="80000010003", is_suppressed=True, **_REGULAR),
        Member(collector="80000010004", is_suppressed=True, may_redeem=False, **_REGULAR),
        Member(collector="80000010005", may_redeem=False, **_REGULAR),
        Member(collector="80000010006", daily_cap_cents=75_000, used_cents=75_000, **_REGULAR),
        Member(
            collector="80000010007",
            cash_miles=6000,
            dream_miles=545,
            offer_id="1000001500",
            offer_type="SPL",
            offer_desc_en="Special: 1,500 points for $10 off",
            offer_desc_fr="Offre spéciale : 1 500 points, rabais de 10 $",
            unit_miles=1500,
        ),
        # The INQUIRE page's own answer: 120 miles, a limit of ten units a day.
        Member(
            collector="84095202006",
            cash_miles=120,
            dream_miles=545,
            daily_cap_cents=10_000,
            offer_id="1111111111",
            offer_desc_en="Sample offer description in English.",
            offer_desc_fr="Exemple de description de l'offre en français.",
        ),
        Member(collector="81111111111", **_REGULAR),
        Member(collector="80085102028", **_REGULAR),
        *(Member(collector=number, **_REGULAR) for number in ISSUANCE_CARDS),
    ]
