"""The sandbox's own settings. Nothing of the partner is read here, and nothing is secret."""

import os
import secrets
import zoneinfo
from pathlib import Path

# The pinned tzdata package, not the machine's own files: three western zones changed their rules
# in 2026, and a deadline by older rules is an hour wrong.
zoneinfo.reset_tzpath(to=())

DATA = Path(os.environ.get("SANDBOX_DATA", "var/sandbox")).resolve()

# A new key per process: tokens die with the process, as they do when the real platform rotates
# its keys, and a partner must renew on the 401 that follows.
SECRET_KEY = secrets.token_urlsafe(48)
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "sandbox.urls"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = [
    "rest_framework",
    "sandbox.conditions",
    "sandbox.members",
    "sandbox.answers",
    "sandbox.redemption",
    "sandbox.issuance",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "sandbox.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,
            # The lock is taken before the first read: a redemption decides on what it will write.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False
APPEND_SLASH = False
# Bodies are bounded by the server and judged by the views; Django must not answer for them.
DATA_UPLOAD_MAX_MEMORY_SIZE = None
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": [],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "sandbox.wire.answer_for_exception",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # A refused request is the sandbox at work, not a fault of it.
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
