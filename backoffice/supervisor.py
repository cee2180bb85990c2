"""Runs all of Milepost in the foreground: what `bin/run` starts, and nothing that decides anything.

One thread, no Django: it starts processes, repeats their lines, restarts what dies and stops all
of them together. The processes themselves are named in backoffice.processes.
"""

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection, HTTPException
from types import FrameType

from backoffice.embedded import broker_url, die_with_parent, socket_path, valkey_command
from backoffice.keeper import Keeper
from backoffice.processes import (
    GRACE_S,
    ROOT,
    WEB_THREADS,
    CannotStart,
    Place,
    commands,
    settings_of,
)

LONGEST_RESTART_DELAY_S = 30.0
STEADY_AFTER_S = 60.0
PATIENCE_S = 60.0

CARDS = """\
  Test cards (scan one, or pick it at the till under "No scanner here?")
    80000010001  Cash 1,200 Dream 545, regular offer
    80000010002  Cash 0, Dream 4,000: nothing to redeem
    80000010003  redeems, but no balance may be shown (0001)
    80000010004  balance withheld, no redemption (0005)
    80000010005  account locked (0006)
    80000010006  daily limit already used
    80000010007  special offer: 1,500 points for $10
    80000020202  miles given stay pending until the third look (…0203: for ever)
    80000020207  some miles given, some rejected
    80000020400  miles rejected: no such collector (…0500: fails twice, then fine)
    8000000CCCC  answers code CCCC, for example 80000000051
    any other number answers 0025 (not found)
"""


def say(text: str) -> None:
    # Whoever read our lines may be gone; the processes must still be watched and stopped.
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


@dataclass(kw_only=True)
class Service:
    """One supervised process and when to start it again."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)
    delay_s: float = 1.0
    restart_at: float | None = None

    def kill_leftovers(self) -> None:
        """Kill what the process leaves behind; its children live in its process group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


class Supervisor:
    """Starts, watches and stops the processes of one run."""

    keeper: Keeper

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.place = Place.of(environment)
        if self.place.brings_training and not self.place.training_port:
            # Nobody looks for it there: what practises is told.
            self.place = replace(self.place, training_port=_free_port())
        self.commands = commands(self.place)
        self.environment = dict(environment, PYTHONUNBUFFERED="1")
        self.environment["MILEPOST_DATA"] = str(self.place.data)
        self.environment["MILEPOST_WEB_THREADS"] = str(WEB_THREADS)
        if self.place.brings_training:
            url = f"http://127.0.0.1:{self.place.training_port}"
            self.environment["MILEPOST_TRAINING_URL"] = url
        self.services: dict[str, Service] = {}
        self.selector = selectors.DefaultSelector()
        self.stops_asked = 0
        self.sign_ins: list[str] = []

    def run(self) -> int:
        """Run until asked to stop."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked_to_stop)
        self.check_ports()
        with self.own_data() as lock, contextlib.ExitStack() as afterwards:
            self.keeper = Keeper(held=lock)
            afterwards.callback(self.keeper.close)
            if self.place.brings_broker:
                self._choose_broker(afterwards)
            afterwards.callback(self._stop_all)
            if self.place.brings_broker:
                self._start("broker")
            if self.place.brings_sandbox:
                self._start("sandbox")
            if self.place.brings_training:
                self._start("training")
            self._prepare()
            for name in ("web", "worker", "beat", "settle"):
                if not self.stops_asked:
                    self._start(name)
            self._announce_when_ready()
            while not self.stops_asked:
                self._turn(0.5)
        say("milepost: all stopped.")
        return 0

    def _asked_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stops_asked += 1

    def check_ports(self) -> None:
        """Refuse to start where a port is taken: a second web server would share it unnoticed."""
        wanted = {"PORT": self.place.port}
        if self.place.brings_sandbox:
            wanted["SANDBOX_PORT"] = self.place.sandbox_port
        if self.place.brings_training:
            wanted["TRAINING_PORT"] = self.place.training_port
        by_port: dict[int, str] = {}
        for name, port in wanted.items():
            if port in by_port:
                raise CannotStart(f"{by_port[port]} and {name} are the same; set one to another.")
            by_port[port] = name
        for name, port in wanted.items():
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError as error:
                    raise CannotStart(
                        f"Port {port} cannot be used ({error.strerror}); set {name} to another one."
                    ) from error

    @contextlib.contextmanager
    def own_data(self) -> Iterator[int]:
        """Hold the data folder: two brokers on one file would destroy each other's queue.

        Gives the open file that holds it; as long as anybody has that open, the folder is held.
        """
        try:
            self.place.data.mkdir(parents=True, exist_ok=True)
            lock = (self.place.data / "run.lock").open("w")
        except OSError as error:
            raise CannotStart(
                f"The data folder {self.place.data} cannot be used ({error.strerror}); "
                "set MILEPOST_DATA to another one."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CannotStart(
                    f"Milepost is already running on {self.place.data}; stop it first, "
                    "or set MILEPOST_DATA to another folder."
                ) from error
            yield lock.fileno()

    def _choose_broker(self, afterwards: contextlib.ExitStack) -> None:
        folder = self.place.data / "broker"
        folder.mkdir(exist_ok=True)
        address = socket_path(folder)
        if address.parent != folder:
            afterwards.callback(shutil.rmtree, address.parent, ignore_errors=True)
        try:
            self.commands["broker"] = valkey_command(folder, address)
        except (FileNotFoundError, ModuleNotFoundError) as error:
            raise CannotStart(str(error)) from error
        self.environment["CELERY_BROKER_URL"] = broker_url(address)

    def _launch(self, name: str, command: list[str]) -> subprocess.Popen[bytes]:
        supervisor = os.getpid()

        def enter() -> None:
            self.keeper.enter()
            die_with_parent(supervisor)

        # Its own group, so that a Ctrl-C reaches only us and each ends in the right order.
        process = subprocess.Popen(  # noqa: S603 - our own table of commands
            command,
            cwd=ROOT,
            env={**settings_of(name), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,
            preexec_fn=enter,
        )
        assert process.stdout is not None
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def _start(self, name: str) -> None:
        process = self._launch(name, self.commands[name])
        self.services[name] = Service(name=name, command=self.commands[name], process=process)
        self._listen(name, process)

    def _listen(self, name: str, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self.selector.register(process.stdout, selectors.EVENT_READ, (name, bytearray()))

    def _turn(self, timeout_s: float) -> None:
        """Repeat what the processes said, and look after those that died."""
        self._repeat_output(timeout_s)
        living = [one for one in self.services.values() if one.restart_at is None]
        self.keeper.revive([service.process.pid for service in living])
        now = time.monotonic()
        for service in self.services.values():
            if service.restart_at is None and service.process.poll() is not None:
                self._mourn(service, now)
            elif service.restart_at is not None and now >= service.restart_at:
                service.process = self._launch(service.name, service.command)
                service.started_at, service.restart_at = now, None
                self._listen(service.name, service.process)

    def _bury(self, service: Service) -> None:
        service.kill_leftovers()
        service.process.wait()
        self.keeper.forget(service.process.pid)

    def _mourn(self, service: Service, now: float) -> None:
        self._bury(service)
        if now - service.started_at > STEADY_AFTER_S:
            service.delay_s = 1.0
        code = service.process.returncode
        ended = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
        say(f"milepost: {service.name} {ended}; starting it again in {service.delay_s:.0f} s.")
        service.restart_at = now + service.delay_s
        service.delay_s = min(service.delay_s * 2, LONGEST_RESTART_DELAY_S)

    def _repeat_output(self, timeout_s: float) -> None:
        if not self.selector.get_map():
            time.sleep(timeout_s)
            return
        for key, _events in self.selector.select(timeout_s):
            name, rest = key.data
            chunk = os.read(key.fd, 65536)
            rest += chunk or (b"\n" if rest else b"")
            *lines, unfinished = rest.split(b"\n")
            rest[:] = unfinished
            for line in lines:
                self._repeat_line(name, line.decode("utf-8", "replace"))
            if not chunk:
                self.selector.unregister(key.fileobj)

    def _repeat_line(self, name: str, line: str) -> None:
        # The sign-ins belong below the addresses, where they are looked for.
        if name == "prepare" and not line.startswith("milepost: "):
            self.sign_ins.append(line)
        else:
            say(line if name == "prepare" else f"{name:<8}| {line}")

    def _prepare(self) -> None:
        """Bring the database, the static files and the demo partner up to date."""
        process = self._launch("prepare", self.commands["prepare"])
        self._listen("prepare", process)
        while process.poll() is None:
            if self.stops_asked:
                process.terminate()
            self._repeat_output(0.2)
        while any(key.data[0] == "prepare" for key in self.selector.get_map().values()):
            self._repeat_output(0.2)
        self.keeper.forget(process.pid)
        if process.returncode and not self.stops_asked:
            say("\n".join(self.sign_ins))
            raise CannotStart("Milepost could not be prepared; the lines above say why.")

    def _announce_when_ready(self) -> None:
        wanted = [(self.place.port, "/healthz")]
        if self.place.brings_sandbox:
            wanted.append((self.place.sandbox_port, "/_control/codes"))
        if self.place.brings_training:
            wanted.append((self.place.training_port, "/_control/codes"))
        complain_at = time.monotonic() + PATIENCE_S
        while wanted and not self.stops_asked:
            self._turn(0.2)
            wanted = [address for address in wanted if not _serves(*address)]
            if wanted and time.monotonic() > complain_at:
                ports = ", ".join(str(port) for port, _path in wanted)
                say(f"milepost: nothing serves yet on port {ports}; the lines above may say why.")
                complain_at += PATIENCE_S
        if not self.stops_asked:
            self._announce()

    def _announce(self) -> None:
        base = f"http://127.0.0.1:{self.place.port}"
        say("")
        say("Milepost is running.")
        say(f"  Console      {base}/")
        say(f"  Back office  {base}/office/")
        say(f"  Admin        {base}/admin/")
        if self.place.brings_sandbox:
            say(f"  Sandbox      http://127.0.0.1:{self.place.sandbox_port}/_control/exchanges")
        if self.place.brings_training:
            say(f"  Training     http://127.0.0.1:{self.place.training_port}/_control/exchanges")
        say(f"  Data         {self.place.data}")
        say("")
        for line in self.sign_ins:
            say(f"  {line}".rstrip())
        say("")
        say(CARDS)
        say("Ctrl-C stops all of it.")

    def _stop_all(self) -> None:
        """Stop those who talk before those they talk to, so that answers are still recorded."""
        if self.services:
            say("milepost: stopping ...")
        asked_before = self.stops_asked
        for names in (("web", "worker", "beat", "settle"), ("sandbox", "training", "broker")):
            leaving = [self.services[name] for name in names if name in self.services]
            for service in leaving:
                with contextlib.suppress(ProcessLookupError):
                    service.process.terminate()
            end_at = time.monotonic() + GRACE_S
            while any(service.process.poll() is None for service in leaving):
                # A second Ctrl-C means now; rows in flight are settled at the next start.
                if time.monotonic() > end_at or self.stops_asked > max(asked_before, 1):
                    break
                self._repeat_output(0.05)
            for service in leaving:
                self._bury(service)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _serves(port: int, path: str) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def main() -> int:
    try:
        return Supervisor(os.environ).run()
    except CannotStart as error:
        sys.stderr.write(f"milepost: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
