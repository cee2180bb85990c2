"""How long things take in these cases: a tenth of a shop's time, or all of it when
MILEPOST_TEST_CASES_SCALE is 1 (`bin/chaos --cases`).
"""

import os

SCALE = float(os.environ.get("MILEPOST_TEST_CASES_SCALE", "0.1"))
IS_FULL = SCALE >= 1

# Those of a shop (backoffice.settings), scaled; none so short that a busy machine misses it.
CALL_S = max(1.5, 9.5 * SCALE)
LEASE_S = max(4.0, 30 * SCALE)
TIMINGS = {
    "PLATFORM_CONNECT_S": str(max(0.5, 3 * SCALE)),
    "PLATFORM_TOTAL_S": str(CALL_S),
    "PLATFORM_MARGIN_S": str(max(0.5, 5 * SCALE)),
    "PLATFORM_LEASE_S": str(LEASE_S),
    "SETTLE_EVERY_S": str(max(0.3, 2 * SCALE)),
    "ECHO_EVERY_S": str(max(1.5, 15 * SCALE)),
}
# For cases in which nobody waits for the end of a call or of a lease: then an answer that comes
# late, on a machine that is busy with others, is no other answer.
PATIENT = {
    "PLATFORM_CONNECT_S": "3",
    "PLATFORM_TOTAL_S": "9.5",
    "PLATFORM_MARGIN_S": "5",
    "PLATFORM_LEASE_S": "30",
}
# A sale is at rest after two calls, a lease and a sweep, on a machine that is busy with others.
SOON_S = 2 * CALL_S + LEASE_S + 40


def times(full: int) -> int:
    """Return how often to do what the case does so often in full; at least once."""
    return max(1, round(full * SCALE))
