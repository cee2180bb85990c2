"""Ends Milepost's processes at bad moments: any moment, or just after the programme has acted and
before it has said so. Runs on the main thread, which starts what it has killed.
"""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from amcash.messages import REDEEM_PATH, REVERSE_PATH
from tests.chaos.stage import LEASE_S, Stage

# A frozen sender must wake after its right to send is over, or it proves nothing.
FROZEN_S = LEASE_S * 1.2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When a run is over: after some minutes, or when enough was killed, or both."""

    minutes: float = 0.0
    web_kills: int = 0
    worker_kills: int = 0


class Killer:
    """Draws what to kill next, and when, from the seed."""

    def __init__(self, on_stage: Stage, plan: Plan, seed: int) -> None:
        self._stage = on_stage
        self._plan = plan
        self._random = random.Random(f"kills {seed}")
        self.kills: Counter[str] = Counter()
        self.freezes = 0

    @property
    def web_kills(self) -> int:
        """How often the web, or one of its workers, was killed."""
        return self.kills["web"] + self.kills["web_after_effect"] + self.kills["web_worker"]

    @property
    def worker_kills(self) -> int:
        """How often a sweep was killed."""
        return sum(self.kills[name] for name in ("settle", "worker", "beat"))

    def run(self) -> None:
        """Kill until the plan is fulfilled; everything runs afterwards."""
        end_at = time.monotonic() + self._plan.minutes * 60
        while time.monotonic() < end_at or self._is_owed():
            time.sleep(self._random.uniform(0.2, 2.0))
            self._draw()()
            self._revive()

    def _is_owed(self) -> bool:
        return self.web_kills < self._plan.web_kills or (
            self.worker_kills < self._plan.worker_kills
        )

    def _draw(self) -> Callable[[], None]:
        acts: dict[Callable[[], None], float] = {
            self._kill_web: 2,
            self._kill_web_after_effect: 3,
            self._kill_web_worker: 3,
            self._kill_sweeper: 6,
            self._freeze: 0.5,
            self._flush_broker: 0.5 if self._stage.broker else 0,
        }
        return self._random.choices(list(acts), list(acts.values()))[0]

    def _kill_web(self) -> None:
        self._stage.web.kill()
        self.kills["web"] += 1

    def _kill_web_after_effect(self) -> None:
        """Have the next answer wait once the miles have moved, and kill meanwhile."""
        path = self._random.choice([REDEEM_PATH, REDEEM_PATH, REVERSE_PATH])
        sandbox = self._stage.sandbox
        before = len(sandbox.exchanges(path))
        sandbox.fault("delay", path=path, seconds=0.9)
        for _ in range(60):
            if len(sandbox.exchanges(path)) > before:
                break
            time.sleep(0.03)
        time.sleep(self._random.uniform(0.02, 0.15))
        self._stage.web.kill()
        self.kills["web_after_effect"] += 1

    def _kill_web_worker(self) -> None:
        if self._stage.kill_web_worker(self._random.randrange(8)):
            self.kills["web_worker"] += 1

    def _kill_sweeper(self) -> None:
        name = self._random.choice(sorted(self._stage.sweepers))
        self._stage.sweepers[name].kill()
        self.kills[name] += 1

    def _freeze(self) -> None:
        self._stage.freeze_web(FROZEN_S)
        self.freezes += 1
        self.kills["web_frozen"] += 1

    def _flush_broker(self) -> None:
        broker = self._stage.broker
        assert broker is not None
        broker.kill()
        self.kills["broker"] += 1
        time.sleep(self._random.uniform(0.1, 2))
        broker.start()

    def _revive(self) -> None:
        for process in (self._stage.web, *self._stage.sweepers.values()):
            if process.has_ended_itself():
                # Nobody asked it to. Supervisors start such a process again, and so do we.
                self.kills[f"{process.name}_ended_itself"] += 1
                process.kill()
        if not self._stage.web.is_alive():
            self._stage.start_web()
        for process in self._stage.sweepers.values():
            if not process.is_alive():
                process.start()
