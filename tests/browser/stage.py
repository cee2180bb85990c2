"""Has a scene played in the database of a running console, by a process of the console's own."""

import json
from typing import Final

from tests.servers.stack import Web

# The row's references by name.
Scene = dict[str, str]
MARK: Final = "scene: "


def played(web: Web, name: str) -> Scene:
    """Play a scene of `scenes` and return the references of its rows."""
    said = web.manage("shell", "-c", f"from tests.browser import scenes; scenes.play({name!r})")
    line = next(line for line in said.splitlines() if line.startswith(MARK))
    found: Scene = json.loads(line.removeprefix(MARK))
    return found
