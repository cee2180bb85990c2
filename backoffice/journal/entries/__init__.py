"""The transaction log's only writer. Nothing outside this package changes a Transaction.

Every function is one durable commit: the change, its attempt and its audit entry stand or fall
together, and none may run inside somebody else's transaction. Changes are compare-and-set, so
whoever comes second re-reads the row and believes it.
"""

from backoffice.journal.entries.alarms import warn_of_deadlines, warn_of_waiting
from backoffice.journal.entries.claims import Taken, claim, claim_next, due
from backoffice.journal.entries.credits import give_credit
from backoffice.journal.entries.disclosing import Erased, disclose, erase
from backoffice.journal.entries.intents import Conflict, Intent, MakeReversal, Refused
from backoffice.journal.entries.issuing import ahead_of, open_issuance
from backoffice.journal.entries.keeping import (
    Batch,
    Place,
    empty_payloads,
    forget_collectors,
    forget_disclosures,
    over,
    reseal,
)
from backoffice.journal.entries.opening import open_transaction, repeated, send_again
from backoffice.journal.entries.policies import give_back_unshown
from backoffice.journal.entries.rows import reread
from backoffice.journal.entries.rulings import (
    case_of,
    confirm,
    deal_with,
    proposal_of,
    propose,
    reject,
)
from backoffice.journal.entries.settling import rearm, record
from backoffice.journal.entries.voids import hold_back, voidable
from backoffice.journal.entries.wishes import cancel, give_up_unsent, hurry, hurry_all, present

__all__ = [
    "Batch",
    "Conflict",
    "Erased",
    "Intent",
    "MakeReversal",
    "Place",
    "Refused",
    "Taken",
    "ahead_of",
    "cancel",
    "case_of",
    "claim",
    "claim_next",
    "confirm",
    "deal_with",
    "disclose",
    "due",
    "empty_payloads",
    "erase",
    "forget_collectors",
    "forget_disclosures",
    "give_back_unshown",
    "give_credit",
    "give_up_unsent",
    "hold_back",
    "hurry",
    "hurry_all",
    "open_issuance",
    "open_transaction",
    "over",
    "present",
    "proposal_of",
    "propose",
    "rearm",
    "record",
    "reject",
    "repeated",
    "reread",
    "reseal",
    "send_again",
    "voidable",
    "warn_of_deadlines",
    "warn_of_waiting",
]
