"""Commits that come late, as those of another process may."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from django.db import connection
from django.db.transaction import atomic


@contextmanager
def uncommitted(act: Callable[[], object], *, rolls_back: bool = False) -> Iterator[None]:
    """Let another connection do this and commit it only when the block ends."""
    is_done, may_end = threading.Event(), threading.Event()

    def run() -> None:
        try:
            with atomic():
                act()
                is_done.set()
                assert may_end.wait(60)
                if rolls_back:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(run)
        assert is_done.wait(60)
        try:
            yield
        finally:
            may_end.set()
            ended.result()
