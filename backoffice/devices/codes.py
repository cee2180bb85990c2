"""Pairing codes as people read and type them: 40 bits in 8 signs that cannot be taken for another.

Pure: no storage, no clock.
"""

import secrets
from typing import Final

LENGTH: Final = 8
# Without I, L, O and U: the first three look like digits, the last one makes words.
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS: Final = str.maketrans("ILO", "110")
_IGNORED: Final = str.maketrans("", "", " -\u2010\u2011\u2012\u2013\t")


def new_code() -> str:
    """Return a fresh code."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def shown(code: str) -> str:
    """Return a code in two groups, as screens show it: ``7Q4M-K2XD``."""
    return f"{code[: LENGTH // 2]}-{code[LENGTH // 2 :]}"


def read(typed: str) -> str | None:
    """Return the code that was typed, in whatever case and grouping; None when it cannot be one."""
    code = typed[:40].upper().translate(_IGNORED).translate(_READ_AS)
    if len(code) != LENGTH or not set(code) <= set(ALPHABET):
        return None
    return code
