"""Becomes one of Milepost's processes with something altered (`altered`): `web` as the web server,
`manage` with a command as that command. Imports no Django, as `backoffice.processes` does not.
"""

import os
import sys

from backoffice.processes import ROOT, WEB_THREADS, Place, commands

_APPLICATION = "backoffice.wsgi:application"


def main(arguments: list[str]) -> None:
    """Become the process that is named."""
    name, *rest = arguments
    os.chdir(ROOT)
    os.environ.setdefault("MILEPOST_WEB_THREADS", str(WEB_THREADS))
    if name == "manage":
        command = [sys.executable, "-m", "tests.cases.altered"]
    else:
        command = commands(Place.of(os.environ))[name]
        assert command[-1] == _APPLICATION
        command[-1] = "tests.cases.altered:application"
    os.execv(command[0], [*command, *rest])  # noqa: S606 - our own table of commands


if __name__ == "__main__":
    main(sys.argv[1:])
