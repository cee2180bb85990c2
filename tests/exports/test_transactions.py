"""The export of the log: exactly the filter's rows, told with their period and zones."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command

from backoffice.audit.models import AuditEntry
from backoffice.exports import transactions
from backoffice.journal.selectors import EVERY_STORE, LogFilters, Scope
from tests.cast import COLLECTOR, Cast
from tests.office.factories import NOON, redemption, reversal, unsettled

TORONTO = ZoneInfo("America/Toronto")


def exported(scope: Scope = EVERY_STORE, **filters: Any) -> list[dict[str, str]]:
    export = transactions.begin(
        scope=scope,
        filters=LogFilters(**filters),
        zone=TORONTO,
        actor="administrator",
        channel="office",
        now=NOON + timedelta(days=1),
    )
    text = b"".join(transactions.csv_bytes(export)).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_a_row_says_what_happened_in_utc_and_on_the_store_s_wall(cast: Cast) -> None:
    row = redemption(cast.south_till, cast.cashier, confirmation_number="7KQ420X9B1TM")
    [line] = exported()
    assert line["reference"] == str(row.reference)
    assert line["opened_at_utc"] == "2025-11-20T17:00:00.000Z"
    assert line["opened_at_local"] == "2025-11-20 13:30:00"
    assert (line["opened_at_offset"], line["zone"]) == ("UTC-03:30", "America/St_Johns")
    assert (line["amount_dollars"], line["miles"], line["units"]) == ("40.00", "380", "4")
    assert (line["store"], line["till"], line["person"]) == ("0002", "001", "cashier")
    assert (line["card"], line["confirmation_number"]) == ("*******0001", "7KQ420X9B1TM")


def test_what_is_not_known_yet_is_empty(cast: Cast) -> None:
    unsettled(cast.till)
    [line] = exported()
    for name in ("amount_dollars", "miles", "settled_at_utc", "response_code", "reverses"):
        assert line[name] == ""


def test_what_was_given_instead_is_told_with_its_moment(cast: Cast) -> None:
    row = redemption(cast.till, credit_given="gift_card", credit_given_at=NOON)
    redemption(cast.till)
    [line] = exported(is_credited=True)
    assert line["reference"] == str(row.reference)
    assert line["credit_given"] == "gift_card"
    assert line["credit_given_at_utc"] == "2025-11-20T17:00:00.000Z"


def test_a_reversal_names_its_redemption(cast: Cast) -> None:
    row = redemption(cast.till)
    reversal(row)
    newest, _oldest = exported()
    assert newest["reverses"] == str(row.reference)


def test_every_row_states_the_period_and_its_zone(cast: Cast) -> None:
    redemption(cast.till)
    [line] = exported(opened_from=NOON - timedelta(hours=12))
    assert line["period_from"] == "2025-11-20T00:00:00-05:00"
    assert line["period_to_not_included"] == "2025-11-21T12:00:00-05:00"
    assert line["period_zone"] == "America/Toronto"
    [line] = exported()
    assert line["period_from"] == "beginning"


def test_the_file_is_named_after_its_period_and_zone(cast: Cast) -> None:
    export = transactions.Export(
        scope=EVERY_STORE,
        filters=LogFilters(opened_from=NOON, opened_before=NOON + timedelta(days=1)),
        zone=TORONTO,
    )
    assert export.file_name == (
        "milepost-transactions_20251120T1200_20251121T1200_America-Toronto.csv"
    )


def test_text_of_ours_and_of_others_is_neutralised(cast: Cast) -> None:
    cast.north.name = "=1+1"
    cast.north.save()
    redemption(cast.till, confirmation_number="@SUM(A1)", sale_ref="-2+3")
    [line] = exported()
    assert line["store_name"] == "'=1+1"
    assert line["confirmation_number"] == "'@SUM(A1)"
    assert line["sale_ref"] == "'-2+3"
    assert line["amount_dollars"] == "40.00"


def test_an_export_holds_only_what_its_scope_may_see(cast: Cast) -> None:
    redemption(cast.till)
    southern = redemption(cast.south_till)
    lines = exported(Scope.of(cast.south_manager))
    assert [line["reference"] for line in lines] == [str(southern.reference)]


def test_who_exported_what_is_in_the_audit_log(cast: Cast) -> None:
    exported(operation="reverse", response_code="0000")
    entry = AuditEntry.objects.get(event="export.made")
    assert (entry.actor, entry.channel) == ("administrator", "office")
    assert entry.details["operation"] == "reverse"
    assert entry.details["response_code"] == "0000"
    assert entry.details["from"] == "beginning"
    assert entry.details["to"] == "2025-11-21T12:00:00-05:00"


def test_no_column_could_hold_a_balance_or_a_whole_card(cast: Cast) -> None:
    redemption(cast.till)
    [line] = exported()
    assert not [name for name in line if "balance" in name or "mac" in name]
    assert COLLECTOR not in ",".join(line.values())


def test_the_command_exports_a_period_of_every_store(cast: Cast, tmp_path: Path) -> None:
    wanted = redemption(cast.till)
    redemption(cast.till, at=NOON - timedelta(days=1))
    redemption(cast.till, at=NOON + timedelta(hours=12))
    file = tmp_path / "log.csv"
    call_command(
        "export", "transactions", "--from=2025-11-20", "--to=2025-11-21", f"--output={file}"
    )
    with file.open(newline="", encoding="utf-8") as text:
        lines = list(csv.DictReader(text))
    assert [line["reference"] for line in lines] == [str(wanted.reference)]
    assert lines[0]["period_from"] == "2025-11-20T00:00:00-05:00"
    assert AuditEntry.objects.get(event="export.made").channel == "shell"


def test_the_command_writes_to_standard_output(
    cast: Cast, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    row = redemption(cast.till)
    call_command("export", "transactions", "--format=csv", "--zone=America/Regina", "--excel")
    written = capfdbinary.readouterr().out
    assert written.startswith(b"\xef\xbb\xbfreference,")
    assert str(row.reference).encode() in written
    assert b"America/Regina" in written


@pytest.mark.parametrize(
    "wrong",
    [["--from=yesterday"], ["--zone=Mars/Olympus"], ["--from=2025-11-21", "--to=2025-11-20"]],
)
def test_the_command_refuses_what_it_cannot_read(cast: Cast, wrong: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("export", "transactions", *wrong)
    assert not AuditEntry.objects.filter(event="export.made").exists()
