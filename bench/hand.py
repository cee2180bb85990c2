"""The child's side of `hands`: reads one order a line, calls it, writes what it returns."""

import importlib
import json
import os
import sys

import django


def main() -> None:
    """Serve orders until the parent closes its end."""
    # What libraries print must not come between our lines.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    os.environ["DJANGO_SETTINGS_MODULE"] = "backoffice.settings"
    django.setup()
    for line in sys.stdin:
        order = json.loads(line)
        module, _, name = order["act"].rpartition(".")
        function = getattr(importlib.import_module(f"bench.acts.{module}"), name)
        answers.write(json.dumps(function(**order["values"])) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
