"""`python -m sandbox --port N --data DIR`: make the tables, serve, stop when asked."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A local, stateful imitation of the AIR MILES Real-Time Checkout platform.",
    )
    parser.add_argument("--port", type=_port, default=8100, metavar="N", help="0: a free one")
    parser.add_argument("--data", type=Path, default=Path("var/sandbox"), metavar="DIR")
    parser.add_argument("--host", default="127.0.0.1")
    return parser.parse_args(argv)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return port


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    arguments.data.mkdir(parents=True, exist_ok=True)
    os.environ["SANDBOX_DATA"] = str(arguments.data.resolve())
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    # The settings read the folder above, so nothing of Django may be imported before it is known.
    from sandbox.start import prepared_server

    try:
        server = prepared_server(arguments.host, arguments.port)
    except OSError as problem:
        sys.stderr.write(f"sandbox: {arguments.host}:{arguments.port} is not free: {problem}\n")
        return 1

    def stop(signum: int, frame: object) -> None:
        threading.Thread(target=server.stop, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.write(f"sandbox serves http://{arguments.host}:{server.port}\n")
    sys.stdout.flush()
    server.serve_forever(poll_interval=0.1)
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
