"""Pure modules take the time as an argument: the same values give the same answer for ever."""

import ast
from pathlib import Path

import pytest

from tests.house.sources import calls, files, tree

PRODUCTS = ("amcash", "issuance")
FLOOR = [Path(f"backoffice/{name}.py") for name in ("units", "clock", "vault", "journal/states")]
PURE = sorted(
    {
        Path(product, f"{name}.py")
        for product in PRODUCTS
        for name in ("codes", "rules", "messages", "terms", "offers", "returns")
    }.union(FLOOR)
    .union(name for name in files() if name.match("backoffice/wire/*.py"))
    .difference({Path("backoffice/wire/transport.py"), Path("backoffice/wire/gate.py")})
    .intersection(files())
)
CLOCKS = {"now", "utcnow", "today", "localtime", "localdate", "gmtime", "time_ns"}


def clock_readings(module: ast.Module) -> list[str]:
    return [
        f"line {call.lineno}: {'.'.join(parts)}()"
        for call, parts in calls(module)
        if parts[-1] in CLOCKS or parts == ["time", "time"]
    ]


@pytest.mark.parametrize("name", PURE, ids=str)
def test_a_pure_module_never_asks_what_time_it_is(name: Path) -> None:
    assert clock_readings(tree(name)) == []


def test_the_floor_is_there() -> None:
    assert set(FLOOR) <= set(PURE)


@pytest.mark.parametrize("line", ["timezone.now()", "datetime.now(tz=UTC)", "time.time()"])
def test_a_look_at_the_clock_is_noticed(line: str) -> None:
    assert len(clock_readings(ast.parse(line))) == 1
