"""Fixtures that every part of the suite shares: the cast, and a platform that a test scripts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.commands import flush
from django.db.models import Manager
from django.test import TransactionTestCase, override_settings
from django.utils import translation
from hypothesis import HealthCheck, settings

from backoffice.journal import line, programme, safety, triggers, watch
from backoffice.people import pins
from tests.cast import Cast, make_cast
from tests.scripted import ScriptedPlatform

# A busy machine is no counterexample: no property is about how fast its example was.
settings.register_profile("milepost", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("milepost")


@pytest.fixture(scope="session", autouse=True)
def _triggers_are_lifted_for_flushing_only() -> Iterator[None]:
    """Let Django empty a test database, which our triggers refuse, and nothing else."""
    tear_down: Callable[[Any], None] = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]

    def lifted(self: TransactionTestCase) -> None:
        with triggers.lifted():
            tear_down(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lifted)
        yield


@pytest.fixture(scope="session", autouse=True)
def _kinds_and_permissions_outlast_a_flush() -> Iterator[None]:
    """Put back as they were what Django would work out anew after each flush, in 50 ms."""
    kept: list[tuple[Manager[Any], list[Any]]] = []
    handle = flush.Command.handle

    def handled(self: flush.Command, **options: Any) -> None:
        if not kept:
            # Permissions point to kinds, which come first.
            kept.extend(
                (rows, list(rows.all())) for rows in (ContentType.objects, Permission.objects)
            )
        handle(self, **options)
        for rows, all_of_them in kept:
            rows.bulk_create(all_of_them)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flush.Command, "handle", handled)
        patch.setattr(flush, "emit_post_migrate_signal", lambda *args, **options: None)
        yield


@pytest.fixture(scope="session", autouse=True)
def _passwords_and_pins_are_hashed_fast() -> Iterator[None]:
    """A slow hash is for real people's secrets; the cast's is in the repository."""
    with (
        override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(pins, "_SLOW", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture(scope="session", autouse=True)
def _a_sweep_is_one_thread_and_leaves_no_mark() -> Iterator[None]:
    """Another thread would not see what a test has not committed; races begin their own.

    Test databases are emptied again and again, which a mark would take for restores.
    """
    with override_settings(SETTLE_AT_ONCE=1, MILEPOST_MARKS=""):
        yield


@pytest.fixture(autouse=True)
def _safety_and_the_breaker_are_looked_at_anew() -> None:
    safety.forget()
    programme.forget()
    watch.forget()


@pytest.fixture(autouse=True)
def _nobody_has_chosen_a_language() -> None:
    """A request in French leaves its thread in French."""
    translation.deactivate()


@pytest.fixture
def cast(db: None) -> Cast:
    """Two stores, their tills and their people."""
    return make_cast()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ScriptedPlatform:
    """The platform as this test scripts it."""
    platform = ScriptedPlatform()
    monkeypatch.setattr(line, "platform", lambda: platform)
    return platform
