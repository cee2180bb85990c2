"""The response codes of AM Cash, transcribed from the programme's pages (PLATFORM.md 2.7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Call(StrEnum):
    """The four calls of AM Cash."""

    ECHO = "echo"
    INQUIRE = "inquire"
    REDEEM = "redeem"
    REVERSE = "reverse"


@dataclass(frozen=True, kw_only=True)
class Code:
    """One response code: its HTTP status, its message in both languages, and where it occurs."""

    code: str
    http: int
    message_en: str
    message_fr: str
    calls: frozenset[Call]


def _code(code: str, http: int, calls: Iterable[Call], message_en: str, message_fr: str) -> Code:
    return Code(
        code=code,
        http=http,
        message_en=message_en,
        message_fr=message_fr,
        calls=frozenset(calls),
    )


_ALL = tuple(Call)
_CARD = (Call.INQUIRE, Call.REDEEM, Call.REVERSE)
_OFFER = (Call.INQUIRE, Call.REDEEM)

# The English messages are the library page's; the French ones are ours (FIDELITY.md).
CODES = {
    code.code: code
    for code in (
        _code("0000", 200, _ALL, "Approved", "Approuvé"),
        _code("0001", 202, _CARD, "Approved - balance suppressed", "Approuvé - solde masqué"),
        _code("0002", 401, _CARD, "Collector account inactive", "Compte d'adhérent inactif"),
        _code(
            "0005",
            202,
            (Call.INQUIRE,),
            "Balance suppressed, unable to redeem",
            "Solde masqué, échange impossible",
        ),
        _code("0006", 202, (Call.INQUIRE,), "Unable to redeem", "Échange impossible"),
        _code("0008", 408, _ALL, "Transaction timeout", "Délai de transaction dépassé"),
        _code("0009", 403, _CARD, "Card not swiped or scanned", "Carte ni glissée ni balayée"),
        _code("0025", 401, _CARD, "Invalid Collector number", "Numéro d'adhérent non valide"),
        _code("0035", 400, _ALL, "Invalid request parameter", "Paramètre de requête non valide"),
        _code("0051", 202, _OFFER, "Insufficient reward miles", "Milles insuffisants"),
        _code(
            "0057",
            400,
            (Call.REVERSE,),
            "Invalid redemption confirmation number",
            "Numéro de confirmation d'échange non valide",
        ),
        _code(
            "0065",
            202,
            (Call.REDEEM,),
            "Exceeded daily redemption limit",
            "Limite d'échange quotidienne dépassée",
        ),
        _code("0066", 202, (Call.REDEEM,), "Insufficient basket size", "Panier insuffisant"),
        _code(
            "0067",
            408,
            _OFFER,
            "Offer is temporarily unavailable",
            "Offre temporairement non disponible",
        ),
        _code("0080", 409, (Call.REVERSE,), "Reversal window expired", "Délai d'annulation expiré"),
        _code("0092", 503, _ALL, "Scheduled outage", "Interruption planifiée"),
        _code(
            "0096",
            500,
            _ALL,
            "Server error or no response",
            "Erreur de serveur ou aucune réponse",
        ),
    )
}

# The caller is told to send the same request again, so a stored answer would make that useless;
# and a request that was never understood has no answer worth keeping.
NEVER_REMEMBERED = frozenset({"0008", "0035", "0092", "0096"})
APPROVALS = frozenset({"0000", "0001", "0005", "0006"})
