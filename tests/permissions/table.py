"""Who gets where: one line for each address, one sign for each visitor, in their order. Every
address with a blank leads to something of store North. Bearers of a token are strangers to the
addresses of people, and people are to those of bearers; a till is to the API, a program to the
switch.
"""

from typing import Final

# stranger
#  cashier of North, at a tablet of North
#   cashier of North, at no tablet
#    manager of North, at a tablet of North
#     manager of South, at a tablet of South
#      administrator, at a tablet of North
#       auditor, at a tablet of North
#        administrator, at a tablet that was revoked
#         manager of North, at a tablet of North, by PIN alone
#
# + gets there · s is sent to the sign-in · t is told that this tablet is no till of theirs
# f forbidden · n not found: not even that it exists · m there is no such method · u unknown

# --- People --------------------------------------------------------------------------------------
EVERYBODY: Final = "+++++++++"
NOBODY: Final = "mmmmmmmmm"
# Nobody either, but a stranger is not told so.
NO: Final = "smmmmmmsm"
SIGNED_IN: Final = "s++++++s+"
READERS: Final = "sff++++ss"
OWN_READERS: Final = "sff+n++ss"
DECIDERS: Final = "sff+++fss"
OWN_DECIDERS: Final = "sff+n+fss"
ADMINISTRATORS: Final = "sffff+fss"
DOOR: Final = "sssssssss"
TILL: Final = "s+t+++ts+"
NOTHING_THERE: Final = "nnnnnnnnn"
TABLET: Final = "s+s++++s+"
OWN_SALE: Final = "s+t+n+ts+"

# Each address: what becomes of a GET, and of a POST.
PEOPLE: Final[dict[str, tuple[str, str]]] = {
    "healthz": (EVERYBODY, NOBODY),
    "readyz": (EVERYBODY, NOBODY),
    "security-txt": (EVERYBODY, NOBODY),
    # What tills may ask, described for who connects one; there is no secret in it.
    "api": (EVERYBODY, NOBODY),
    "api-schema": (EVERYBODY, NOBODY),
    # Beside the calls of the switch: a till with a wrong address is told so in JSON.
    "no-call": (NOTHING_THERE, NOTHING_THERE),
    # Before the till.
    "cashier:sign_in": (EVERYBODY, EVERYBODY),
    "cashier:pair": (EVERYBODY, EVERYBODY),
    "cashier:language": (NOBODY, EVERYBODY),
    "cashier:lock": (NOBODY, DOOR),
    # Name tiles and PIN, at an enrolled tablet only.
    "cashier:unlock": (TABLET, TABLET),
    "cashier:kept": (TILL, NO),
    "cashier:stay": (NO, TILL),
    "cashier:own_pin": (TILL, TILL),
    "cashier:till": (SIGNED_IN, SIGNED_IN),
    # At the till.
    "cashier:home": (TILL, NO),
    "cashier:card": (SIGNED_IN, TILL),
    # Only where the sandbox's cards are played; elsewhere it is not there.
    "cashier:test_card": (SIGNED_IN, "sntnnntsn"),
    "cashier:offer": (SIGNED_IN, TILL),
    "cashier:redeem": (SIGNED_IN, TILL),
    "cashier:resume": (SIGNED_IN, TILL),
    "cashier:give": (TILL, NO),
    "cashier:give_card": (SIGNED_IN, TILL),
    "cashier:give_instead": (SIGNED_IN, TILL),
    "cashier:give_unknown": (SIGNED_IN, TILL),
    "cashier:give_basket": (SIGNED_IN, TILL),
    "cashier:give_preview": (SIGNED_IN, TILL),
    "cashier:give_resume": (SIGNED_IN, TILL),
    "cashier:give_confirm": (SIGNED_IN, TILL),
    "cashier:give_record": (SIGNED_IN, TILL),
    "cashier:training": (TILL, TILL),
    "cashier:today": (TILL, NO),
    "cashier:return": (TILL, TILL),
    "cashier:sale": (OWN_SALE, NO),
    "cashier:status": (OWN_SALE, NO),
    "cashier:receipt": (OWN_SALE, NO),
    "cashier:present": (SIGNED_IN, OWN_SALE),
    "cashier:send_again": (SIGNED_IN, OWN_SALE),
    "cashier:pay_otherwise": (SIGNED_IN, OWN_SALE),
    "cashier:cancel": (SIGNED_IN, OWN_SALE),
    "cashier:check": (SIGNED_IN, OWN_SALE),
    "cashier:credit": (OWN_SALE, OWN_SALE),
    "cashier:give_of_sale": (OWN_SALE, NO),
    "cashier:bring_back": (OWN_SALE, OWN_SALE),
    "cashier:reverse": (OWN_SALE, OWN_SALE),
    # The office.
    "office:home": (READERS, NO),
    "office:log": (READERS, READERS),
    "office:export": (READERS, NO),
    "office:transaction": (OWN_READERS, NO),
    "office:decide": (NO, OWN_DECIDERS),
    "office:reveal": (OWN_DECIDERS, OWN_DECIDERS),
    "office:privacy": (READERS, NO),
    "office:privacy-find": (NO, READERS),
    "office:privacy-request": (NO, ADMINISTRATORS),
    "office:privacy-record": (NO, ADMINISTRATORS),
    "office:privacy-erase": (NO, ADMINISTRATORS),
    "office:connection": (READERS, "sff+f+fss"),
    "office:devices": (READERS, NO),
    "office:device": (OWN_READERS, NO),
    "office:device-code": (NO, OWN_DECIDERS),
    "office:device-token": (NO, OWN_DECIDERS),
    "office:device-revoke": (NO, OWN_DECIDERS),
    "office:device-training": (NO, OWN_DECIDERS),
    "office:api-tokens": (ADMINISTRATORS, NO),
    "office:api-token": (ADMINISTRATORS, NO),
    "office:api-token-new": (ADMINISTRATORS, ADMINISTRATORS),
    "office:api-token-revoke": (NO, ADMINISTRATORS),
    "office:people": (READERS, NO),
    "office:person": (OWN_READERS, NO),
    "office:person-pin": (NO, OWN_DECIDERS),
    "office:person-no-pin": (NO, OWN_DECIDERS),
    "office:person-badge": (NO, OWN_DECIDERS),
    "office:person-no-badge": (NO, OWN_DECIDERS),
    "office:person-no-codes": (NO, OWN_DECIDERS),
    # Half way in: for who has just given the right password.
    "office:second-step": (DOOR, DOOR),
    # One's own, whoever opens the office.
    "office:passkeys": (READERS, READERS),
    "office:passkey-remove": (NO, READERS),
    "office:events": (READERS, NO),
    "office:event": (OWN_READERS, NO),
    "office:event-new": (DECIDERS, DECIDERS),
    "office:event-send": (NO, DECIDERS),
    "office:event-take-back": (OWN_DECIDERS, OWN_DECIDERS),
    "office:event-decide": (NO, OWN_DECIDERS),
    "office:issuances": (READERS, NO),
    "office:issuance-check": (NO, OWN_DECIDERS),
    "office:issuance-correct": (OWN_DECIDERS, OWN_DECIDERS),
    "office:offers": (READERS, NO),
    "office:offers-preview": (READERS, READERS),
    "office:offer": (OWN_READERS, NO),
}

# --- The administration: one rule for all of it ---------------------------------------------------
# Django sends whoever may not enter to the admin's own door, which knows ours and says no.
ADMIN: Final = "sssss+sss"
ADMIN_DOOR: Final = "sffffsfsf"
_ADMIN_NO: Final = "sssssmsss"
ADMIN_SITE: Final[dict[str, tuple[str, str]]] = {
    "admin:index": (ADMIN, ADMIN),
    "admin:login": (ADMIN_DOOR, ADMIN_DOOR),
    # Who is not of it is sent on to its index, which sends them away.
    "admin:logout": ("s++++m+s+", "s++++s+s+"),
    "admin:password_change": (ADMIN, ADMIN),
    "admin:password_change_done": (ADMIN, _ADMIN_NO),
    "admin:autocomplete": ("sssssfsss", _ADMIN_NO),
    "admin:jsi18n": (ADMIN, _ADMIN_NO),
    "admin:view_on_site": ("sssssnsss", "sssssnsss"),
    "admin:auth_user_password_change": (ADMIN, ADMIN),
    "admin:app_list": (ADMIN, ADMIN),
    "/admin/<url>": ("sssssnsss", "sssssnsss"),
}
# What the administration holds. Nothing there is ever deleted.
ADMIN_MODELS: Final = (
    "people_user",
    "people_storepolicy",
    "devices_device",
    "stores_sponsor",
    "stores_store",
    "issuance_offer",
    "issuance_exclusion",
    "issuance_eventreason",
)
ADMIN_OF_A_MODEL: Final[dict[str, tuple[str, str]]] = {
    "admin:{model}_changelist": (ADMIN, ADMIN),
    "admin:{model}_add": (ADMIN, ADMIN),
    "admin:{model}_change": (ADMIN, ADMIN),
    "admin:{model}_history": (ADMIN, ADMIN),
    "admin:{model}_delete": ("sssssfsss", "sssssfsss"),
    "/admin/{path}/<path:object_id>/": (ADMIN, ADMIN),
}

# --- Bearers of a token --------------------------------------------------------------------------
# A tablet's token · a till's · of AM Cash only · of miles only · of a till that was revoked · a
# program's, for the API, of North.
AMCASH: Final = "f++fuu"
ISSUANCE: Final = "f+f+uu"
PROGRAM: Final = "uuuuu+"
TILLS: Final[dict[str, str]] = {
    "amcash:echo": AMCASH,
    "amcash:inquire": AMCASH,
    "amcash:redeem": AMCASH,
    "amcash:reverse": AMCASH,
    "issuance:post": ISSUANCE,
    "issuance:post-event": ISSUANCE,
    "issuance:reverse": ISSUANCE,
    "issuance:reverse-event": ISSUANCE,
    "issuance:record": ISSUANCE,
    "issuance:calculate": ISSUANCE,
    "issuance:issue": ISSUANCE,
    "issuance:return": ISSUANCE,
}

# What is read by GET; anything else is no method of the API.
API: Final[dict[str, str]] = {
    "api-v1:index": PROGRAM,
    "api-v1:transactions": PROGRAM,
    "api-v1:transaction": PROGRAM,
    "api-v1:changes": PROGRAM,
    "api-v1:stores": PROGRAM,
    "api-v1:store": PROGRAM,
    "api-v1:devices": PROGRAM,
    "api-v1:device": PROGRAM,
    "api-v1:offers": PROGRAM,
    "api-v1:offer": PROGRAM,
    # Every address that there is not.
    "api-v1:nowhere": "uuuuun",
}


def people() -> dict[str, tuple[str, str]]:
    """Return the lines of all addresses for people."""
    found = PEOPLE | ADMIN_SITE
    for model in ADMIN_MODELS:
        for name, line in ADMIN_OF_A_MODEL.items():
            found[name.format(model=model, path=model.replace("_", "/", 1))] = line
    return found
