"""Celery's worker as `bin/run` starts it, told to stop when nobody reads what it says."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backoffice.processes import ROOT
from tests.run.family import children
from tests.servers import valkey

PATIENCE_S = 300.0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_worker_whose_supervisor_is_gone_still_stops(tmp_path: Path) -> None:
    environment = dict(os.environ, MILEPOST_DATA=str(tmp_path))
    with valkey.running() as environment["CELERY_BROKER_URL"]:
        worker = subprocess.Popen(
            [sys.executable, "-m", "backoffice.processes", "worker"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        assert worker.stdout is not None
        try:
            end_at = time.monotonic() + PATIENCE_S
            # Its pool stands: by then it handles signals itself.
            while len(children(worker.pid)) < 2:
                assert worker.poll() is None and time.monotonic() < end_at
                time.sleep(0.1)
            worker.stdout.close()
            worker.terminate()
            assert worker.wait(timeout=PATIENCE_S) == 0
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()
