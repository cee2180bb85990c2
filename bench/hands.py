"""Child processes that know Django and do as they are told; the benchmark itself stays without it.

Each has the environment of one place, so that two databases can be measured in turns.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Self

from backoffice.embedded import die_with_parent
from backoffice.processes import ROOT


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment on top of our own, for a process that is no hand."""
    return {**os.environ, **environment}


class Hand:
    """A child that calls functions of `bench.acts` by name: JSON in, JSON out."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.hand"],
            cwd=ROOT,
            env=inherited(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=die_with_parent,
        )

    def begin(self, act: str, **values: Any) -> None:
        """Have it start on `module.function`; `end` gives what came of it."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"act": act, "values": values}) + "\n")
        self._process.stdin.flush()

    def end(self) -> Any:
        """Wait for what was begun and return it."""
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        if not said:
            raise RuntimeError("A measuring process died; its last words are above.")
        return json.loads(said)

    def do(self, act: str, **values: Any) -> Any:
        """Begin and end."""
        self.begin(act, **values)
        return self.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


def together(environment: Mapping[str, str], count: int, act: str, **values: Any) -> list[Any]:
    """Have `count` processes do the same at the same time; return what each says."""
    with ExitStack() as stack:
        hands = [stack.enter_context(Hand(environment)) for _ in range(count)]
        # The first act pays for imports and connections; nothing of it is measured.
        for hand in hands:
            hand.do(act, **{**values, "seconds": 0.5})
        for hand in hands:
            hand.begin(act, **values)
        return [hand.end() for hand in hands]
