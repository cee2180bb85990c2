"""A whole collector number is found wherever a run may have left it."""

import sqlite3
from pathlib import Path

from tests.chaos.traces import leaks

CARD = "80000090001"


def test_a_number_in_a_log_or_in_the_database_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_text(f"asked about {CARD}\n")
    (tmp_path / "settle.log").write_text(f"asked about {CARD[-4:]}\n")
    address = f"sqlite:///{tmp_path / 'milepost.sqlite3'}"
    database = sqlite3.connect(tmp_path / "milepost.sqlite3")
    database.execute("CREATE TABLE entry (details TEXT)")
    database.commit()
    assert leaks([CARD], tmp_path, address) == ["web.log"]
    database.execute("INSERT INTO entry VALUES (?)", [CARD])
    database.commit()
    database.close()
    assert leaks([CARD], tmp_path, address) == ["milepost.sqlite3", "web.log"]
