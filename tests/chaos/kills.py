"""Ends Milepost's processes at bad moments: any moment, or where a request stands at the programme.
Runs on the main thread, which starts what it has killed; it never waits for one thing only.
"""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.chaos import traces
from tests.chaos.evidence import Kill
from tests.chaos.processes import Process
from tests.chaos.stage import LEASE_S, Stage, WebServer
from tests.chaos.traps import Trap, Traps

WEB = frozenset({"web", "web_worker"})
SWEEP = frozenset({"settle", "worker"})
GIVER = "giver"
# A frozen sender must wake after its right to send is over, or it proves nothing.
FROZEN_S = LEASE_S * 1.2
# A process that has only begun to import its libraries proves little when it is killed.
AT_WORK_S = 1.5
_TICK_S = 0.02
_CALLS_BETWEEN = 3
_PATIENCE_S = 1.5
# A server of which two workers die within this time gives up as a whole, which proves nothing new.
GIVES_UP_WITHIN_S = 6.0
_KILLS_THE_LAST = 0.1
CLOCK_JUMP_S = 7200


@dataclass(frozen=True, kw_only=True)
class Plan:
    """When a run is over: after some minutes, or when enough was done, or both."""

    minutes: float = 0.0
    web_kills: int = 0
    worker_kills: int = 0
    db_stops: int = 0
    # Seconds between two acts, on average.
    pause_s: float = 0.5


class Killer:
    """Draws what to kill next, and when, from the seed."""

    def __init__(self, on_stage: Stage, plan: Plan, seed: int) -> None:
        self._stage = on_stage
        self._plan = plan
        self._random = random.Random(f"kills {seed}")
        self._traps = Traps(on_stage, random.Random(f"traps {seed}"))
        self._later: list[tuple[float, Callable[[], None]]] = []
        self.kills: Counter[str] = Counter()
        self.done: list[Kill] = []
        self.freezes = 0
        self._arrived = 0

    @property
    def web_kills(self) -> int:
        """How often a web server, or one of its workers, was killed."""
        return sum(self.kills[name] for name in WEB)

    @property
    def worker_kills(self) -> int:
        """How often a sweep was killed; a beat, which sends nothing, is counted apart."""
        return sum(self.kills[name] for name in SWEEP)

    def run(self) -> None:
        """Kill until the plan is fulfilled; everything runs afterwards."""
        end_at = time.monotonic() + self._plan.minutes * 60
        next_at = time.monotonic()
        while time.monotonic() < end_at or self._is_owed():
            time.sleep(_TICK_S)
            if time.monotonic() >= next_at and self._is_busy_again(next_at):
                self._draw()()
                next_at = time.monotonic() + self._random.uniform(0, 2 * self._plan.pause_s)
                self._arrived = traces.last_arrival(self._stage.exchanges)
            for trap, pid in self._traps.sprung():
                self._kill_sender(trap, pid)
            self._catch_up(time.monotonic())
            self._revive()
        self._catch_up(float("inf"))
        if self._stage.server is not None:
            self._stage.server.wait()
        self._revive()

    def _is_busy_again(self, waiting_since: float) -> bool:
        """Whether calls have come since the last act: on a slow machine kills would outrun them."""
        is_patient = time.monotonic() < waiting_since + _PATIENCE_S
        arrived = traces.last_arrival(self._stage.exchanges) - self._arrived
        return arrived >= _CALLS_BETWEEN or not is_patient

    def _is_owed(self) -> bool:
        return (
            self.web_kills < self._plan.web_kills
            or self.worker_kills < self._plan.worker_kills
            or self.kills["db_stopped"] + self.kills["db_killed"] < self._plan.db_stops
        )

    def _draw(self) -> Callable[[], None]:
        is_celery = self._stage.broker is not None
        acts: dict[Callable[[], None], float] = {
            self._kill_web: 2.5,
            self._kill_web_worker: 3,
            self._kill_sweep: 7,
            self._kill_giver: 2.5,
            self._traps.at_a_call: 7,
            self._traps.at_a_replay: 5,
            self._freeze: 0.3,
            self._kill_beats: 1.5 if is_celery else 0,
            self._flush_broker: 0.5 if is_celery else 0,
            self._stop_database: self._share_of_stops(),
            self._move_the_programmes_clock: 0.2,
            self._move_our_clock: 5 if self._stage.clock is not None else 0,
        }
        return self._random.choices(list(acts), list(acts.values()))[0]

    def _share_of_stops(self) -> float:
        if self._stage.server is None:
            return 0
        return 0.8 if self._plan.db_stops else 0.3

    # --- Kills ----------------------------------------------------------------------------------

    def _kill(self, name: str, process: Process, pids: list[int] | None = None) -> None:
        """Kill a process's whole group, or some of its workers, and note when."""
        killed = process.pids() if pids is None else pids
        at = datetime.now(UTC)
        if pids is None:
            process.kill()
        else:
            for pid in pids:
                process.kill_one(pid)
        self.kills[name] += 1
        self.done.append(Kill(at=at, name=name, pids=frozenset(killed)))

    def _kill_web(self) -> None:
        web = self._a_ready_web()
        if web is not None:
            web.is_ready = False
            self._kill("web", web.process)

    def _kill_web_worker(self) -> None:
        web = self._a_ready_web(of=lambda one: one.hurt_s_ago > GIVES_UP_WITHIN_S)
        workers = web.process.children() if web is not None else []
        if web is not None and workers:
            web.hurt_at = time.monotonic()
            self._kill("web_worker", web.process, [self._random.choice(workers)])

    def _a_ready_web(self, of: Callable[[WebServer], bool] = lambda _: True) -> WebServer | None:
        ready = [web for web in self._stage.webs if web.is_ready and web.process.is_alive()]
        # Seldom the last one: kills that meet no cashier at work would prove nothing.
        is_enough = len(ready) > 1 or (ready and self._random.random() < _KILLS_THE_LAST)
        chosen = [web for web in ready if of(web)]
        return self._random.choice(chosen) if chosen and is_enough else None

    def _kill_sweep(self) -> None:
        at_work = [one for one in self._stage.sweepers if one.name in SWEEP and _is_at_work(one)]
        if at_work:
            process = self._random.choice(at_work)
            self._kill(process.name, process)

    def _kill_giver(self) -> None:
        at_work = [one for one in self._stage.givers if _is_at_work(one)]
        if at_work:
            self._kill(GIVER, self._random.choice(at_work))

    def _kill_beats(self) -> None:
        """Kill one beat, or all of them at once."""
        beats = [one for one in self._stage.sweepers if one.name == "beat" and _is_at_work(one)]
        for beat in beats if self._random.random() < 0.3 else beats[:1]:
            self._kill("beat", beat)

    def _kill_sender(self, trap: Trap, pid: int) -> None:
        """Kill whoever is sending what walked into a trap: only it, or its whole server."""
        process = self._stage.holder_of(pid)
        if process is None:
            return
        self.kills[f"at_{trap.point}"] += 1
        web = next((one for one in self._stage.webs if one.process is process), None)
        if web is None:
            self._kill(GIVER if process in self._stage.givers else process.name, process)
        elif self._random.random() < 0.5:
            web.hurt_at = time.monotonic()
            self._kill("web_worker", process, [pid])
        else:
            web.is_ready = False
            self._kill("web", process)

    # --- Other harm -----------------------------------------------------------------------------

    def _freeze(self) -> None:
        """Stop every process of one web server, wherever it is, and let it go on later."""
        web = self._a_ready_web()
        if web is None or web.is_frozen:
            return
        web.is_frozen, web.is_ready = True, False
        process = web.process
        started_at = process.started_at
        process.send(signal.SIGSTOP)
        self.freezes += 1
        self.kills["web_frozen"] += 1

        def thaw() -> None:
            # It may have been killed and started again meanwhile.
            if process.started_at == started_at:
                process.send(signal.SIGCONT)
                web.is_frozen = False

        self._after(FROZEN_S, thaw)

    def _flush_broker(self) -> None:
        broker = self._stage.broker
        assert broker is not None
        if broker.is_alive():
            broker.kill()
            self.kills["broker"] += 1
            self._after(self._random.uniform(0.1, 5), broker.start)

    def _stop_database(self) -> None:
        server = self._stage.server
        assert server is not None
        if not server.is_alive:
            return
        if self._random.random() < 0.5:
            server.stop_at_once()
            self.kills["db_stopped"] += 1
        else:
            server.kill()
            self.kills["db_killed"] += 1
        self._after(self._random.uniform(0, 1.5), self._restart_database)

    def _restart_database(self) -> None:
        server = self._stage.server
        assert server is not None
        if not server.answers():
            if not server.is_alive:
                server.start()
            # Sessions of a killed server may still hold its memory; then this start fails.
            self._after(0.3, self._restart_database)

    def _move_the_programmes_clock(self) -> None:
        """Have the programme live two hours ahead or behind for a while, calls under way or not."""
        jump = self._random.choice([-CLOCK_JUMP_S, CLOCK_JUMP_S])

        def move(offset_s: int) -> None:
            self._stage.sandbox.control("clock", offset_s=offset_s)

        move(jump)
        self.kills["programme_clock"] += 1
        self._after(self._random.uniform(1, 4), lambda: move(0))

    def _move_our_clock(self) -> None:
        """Put the clock of every process of ours two hours off, leases running or not."""
        self._stage.set_clock(self._random.choice([-CLOCK_JUMP_S, CLOCK_JUMP_S]))
        self.kills["clock_moved"] += 1
        self._after(self._random.uniform(0.3, 4), lambda: self._stage.set_clock(0))

    def _after(self, seconds: float, act: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + seconds, act))

    def _catch_up(self, now: float) -> None:
        due = [act for at, act in self._later if at <= now]
        self._later = [(at, act) for at, act in self._later if at > now]
        for act in due:
            act()

    def _revive(self) -> None:
        for process in self._stage.processes():
            if process.has_ended_itself():
                # Nobody asked it to. Supervisors start such a process again, and so do we.
                self.kills[f"{process.label.partition('-')[0]}_ended_itself"] += 1
                process.kill()
        for web in self._stage.webs:
            if not web.process.is_alive():
                web.start()
            elif not web.is_ready:
                web.look()
        for process in (*self._stage.sweepers, *self._stage.givers):
            if not process.is_alive():
                process.start()


def _is_at_work(process: Process) -> bool:
    return process.is_alive() and process.age_s > AT_WORK_S
