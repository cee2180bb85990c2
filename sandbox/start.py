"""What happens before the first request: tables, test cards, a listening socket."""

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application

from sandbox.server import SandboxServer


def prepared_server(host: str, port: int) -> SandboxServer:
    """Return a server that listens, with its tables made and, the first time, its cards seeded."""
    application = get_wsgi_application()
    call_command("migrate", verbosity=0, interactive=False)
    # Models can only be imported once the application is set up.
    from sandbox.control import engine

    engine.seed_first_time()
    return SandboxServer((host, port), application)
