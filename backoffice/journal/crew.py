"""The threads of a sweep. Each keeps its own connections, to the database and to the platform.

They decide nothing: what a thread may send, a claim has given to it alone.
"""

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from django.conf import settings
from django.db import close_old_connections


def together(count: int, work: Callable[[], int]) -> int:
    """Have up to `count` threads do the same, the caller always one; return the sum.

    At most `SETTLE_AT_ONCE` of them. Raises what one of them raised when all have ended.
    """
    others = min(count, settings.SETTLE_AT_ONCE) - 1
    begun = [_pool().submit(_helping, work) for _ in range(others)]
    try:
        own = work()
    finally:
        wait(begun)
    return own + sum(future.result() for future in begun)


def _helping(work: Callable[[], int]) -> int:
    # The database may have been away since this thread last worked.
    close_old_connections()
    return work()


@functools.cache
def _pool() -> ThreadPoolExecutor:
    # Kept: a thread begun anew would greet the database and the platform each time.
    return ThreadPoolExecutor(settings.SETTLE_AT_ONCE, thread_name_prefix="sweep")
