"""Milepost's settings: the composition root. May import anything; nothing imports it.

Every value that differs between places comes from the environment (PRODUCT 5); a missing or
malformed one stops the start-up with one message that names them all.
"""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from backoffice.clock import refuse_old_tzdata, use_pinned_tzdata
from backoffice.environment import Environment, development_secret, new_secret_key
from backoffice.logs import logging_settings
from backoffice.vault import Keyring

# Reversal deadlines are promises, so no process may read the system's time zone rules.
use_pinned_tzdata()
refuse_old_tzdata()

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(values=os.environ)

DEBUG = False
MILEPOST_PRODUCTION = env.is_production
# Shown on every screen unless empty: only the programme's production goes unnamed.
MILEPOST_ENVIRONMENT_NAME = env.optional(
    "MILEPOST_ENVIRONMENT_NAME", "" if env.is_production else "Sandbox"
)
MILEPOST_DATA = Path(env.optional("MILEPOST_DATA", str(BASE_DIR / "var"))).resolve()
# Beside the database and not in it: what tells a restored one (journal.quarantine).
MILEPOST_MARKS = str(MILEPOST_DATA / "marks")
MILEPOST_VERSION = "0.1.0"

# --- Secrets ------------------------------------------------------------------------------------
if env.is_production:
    SECRET_KEY = env.secret("MILEPOST_SECRET_KEY")
    MILEPOST_DATA_KEYS = env.text("MILEPOST_DATA_KEYS")
else:
    SECRET_KEY = env.optional("MILEPOST_SECRET_KEY", "") or development_secret(
        MILEPOST_DATA, "secret-key", new_secret_key
    )
    MILEPOST_DATA_KEYS = env.optional("MILEPOST_DATA_KEYS", "") or development_secret(
        MILEPOST_DATA, "data-keys", Keyring.generate
    )
env.checked("MILEPOST_DATA_KEYS", MILEPOST_DATA_KEYS, Keyring.parse)

# --- The programme's platform -------------------------------------------------------------------
_SANDBOX = f"http://127.0.0.1:{env.optional('SANDBOX_PORT', '8100')}"
AIRMILES_BASE_URL = env.platform_url("AIRMILES_BASE_URL", default=_SANDBOX)
AIRMILES_TOKEN_URL = env.platform_url("AIRMILES_TOKEN_URL", default=f"{_SANDBOX}/oauth/token")
AIRMILES_AUDIENCE = env.text("AIRMILES_AUDIENCE", default="https://partners.loyalty.com")
AIRMILES_CLIENT_ID = env.credential("AIRMILES_CLIENT_ID", default="milepost")
AIRMILES_CLIENT_SECRET = env.credential("AIRMILES_CLIENT_SECRET", default="sandbox")
# A sandbox for tills that practise (journal.line); empty where none does.
MILEPOST_TRAINING_URL = env.training_url("MILEPOST_TRAINING_URL", programme_url=AIRMILES_BASE_URL)
# On a desk without a scanner the resting screen can play one with the sandbox's test cards.
MILEPOST_TEST_CARDS = not env.is_production and AIRMILES_BASE_URL == _SANDBOX
# Two tries of 9.5 s: a till has an answer or a doubt by 20 s (PRODUCT 4). Each has its own lease.
PLATFORM_CONNECT_S = env.number("PLATFORM_CONNECT_S", "3", float)
PLATFORM_TOTAL_S = env.number("PLATFORM_TOTAL_S", "9.5", float)
PLATFORM_LEASE_S = env.number("PLATFORM_LEASE_S", "30", float)
PLATFORM_MARGIN_S = env.number("PLATFORM_MARGIN_S", "5", float)
# At most half the web threads may be inside a platform call, so that pages stay quick (PRODUCT 4).
MILEPOST_WEB_THREADS = env.number("MILEPOST_WEB_THREADS", "4", int)
# A process that only sweeps serves no pages and may have more (`processes`).
PLATFORM_CALLS_AT_ONCE = env.number(
    "PLATFORM_CALLS_AT_ONCE", str(max(1, MILEPOST_WEB_THREADS // 2)), int
)
PLATFORM_GATE_WAIT_S = env.number("PLATFORM_GATE_WAIT_S", "2", float)
# Whoever waits for a place holds a thread as well; one is left to pages whatever happens.
PLATFORM_CALLS_WAITING = max(0, MILEPOST_WEB_THREADS - PLATFORM_CALLS_AT_ONCE - 1)

# --- How long what is about a person is kept, in days (docs/operator.md) -------------------------
MILEPOST_KEEP_PAYLOADS_DAYS = env.number("MILEPOST_KEEP_PAYLOADS_DAYS", "90", int)
# A sale that may still be returned keeps what its return is made of.
MILEPOST_RETURN_WINDOW_DAYS = env.number("MILEPOST_RETURN_WINDOW_DAYS", "90", int)
MILEPOST_KEEP_NUMBERS_DAYS = env.number("MILEPOST_KEEP_NUMBERS_DAYS", "730", int)

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "backoffice.people",
    "backoffice.devices",
    "backoffice.stores",
    "backoffice.audit",
    "backoffice.journal",
    "backoffice.exports",
    "backoffice.office",
    "amcash",
    "issuance",
    "cashier",
    "backoffice.office.admin_config.OfficeAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    # Keeps one-time and recovery codes (people.factors); none of its pages is ours.
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "django_htmx",
    "csp",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "backoffice.headers.HeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "backoffice.devices.middleware.DeviceMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "backoffice.people.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "backoffice.office.context.surroundings",
            ],
            "builtins": ["django.templatetags.i18n", "django.templatetags.static"],
        },
    }
]

# --- Data ---------------------------------------------------------------------------------------
MILEPOST_DATA.mkdir(parents=True, exist_ok=True)
_database = env.database(f"sqlite:///{MILEPOST_DATA / 'milepost.sqlite3'}")
if str(_database.get("ENGINE", "")).endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    _database["CONN_HEALTH_CHECKS"] = True
# A new connection costs as much as eleven durable inserts (DEPENDENCIES 4).
_database["CONN_MAX_AGE"] = None
_database["ATOMIC_REQUESTS"] = False
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People -------------------------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
LOGIN_URL = "cashier:sign_in"
LOGIN_REDIRECT_URL = "cashier:home"
LOGOUT_REDIRECT_URL = "cashier:sign_in"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
# Whoever opens the office proves a second factor. On a desk the demo's people need none, unless
# it is asked for; production knows no such exception.
MILEPOST_SECOND_FACTOR = env.is_production or env.optional("MILEPOST_SECOND_FACTOR", "") == "1"
# The one address that passkeys answer to (people.passkeys): never a request's own Host header.
MILEPOST_PASSKEY_ORIGIN = env.origin(
    "MILEPOST_PASSKEY_ORIGIN",
    default="" if env.is_production else f"http://localhost:{env.optional('PORT', '8000')}",
)
MFA_ADAPTER = "backoffice.people.factors.Adapter"
# A phone's clock may be a little off; a code is good once all the same (people.factors).
MFA_TOTP_TOLERANCE = 1
ACCOUNT_EMAIL_VERIFICATION = "none"
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
CSRF_USE_SESSIONS = False
# What a tablet proves itself with (devices.tokens).
DEVICE_COOKIE_NAME = "__Host-device" if env.is_production else "device"

# --- The web ------------------------------------------------------------------------------------
ALLOWED_HOSTS = env.optional("MILEPOST_ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [
    origin for origin in env.optional("MILEPOST_TRUSTED_ORIGINS", "").split(",") if origin
]
if env.is_production:
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    # The load balancer asks inside the network, where there is no TLS.
    SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_REFERRER_POLICY = "same-origin"
# No page of ours stands in a frame but the paper, which says so itself (cashier.views.sale).
X_FRAME_OPTIONS = "DENY"
# The longest form is the admin's list of offers; nobody sends files to it.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 500
DATA_UPLOAD_MAX_NUMBER_FILES = 2
MILEPOST_SECURITY_CONTACT = env.optional("MILEPOST_SECURITY_CONTACT", "")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        # No nonce: no page has a script or a style of its own (tests/web/test_policy.py).
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
STATIC_URL = "static/"
STATIC_ROOT = MILEPOST_DATA / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "America/Toronto"
USE_TZ = True

# --- Celery: only a clock and muscle; what to send, and when, is in rows -------------------------
CELERY_BROKER_URL = env.optional("CELERY_BROKER_URL", "redis://127.0.0.1:6379/0")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "unacked_restore_interval": 5,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
}
# Each thread of a sweep has one call under way, and the gate must have a place for all.
SETTLE_AT_ONCE = PLATFORM_CALLS_AT_ONCE
SETTLE_EVERY_S = env.number("SETTLE_EVERY_S", "2", float)
PURGE_LOOK_EVERY_S = 600.0
ECHO_EVERY_S = env.number("ECHO_EVERY_S", "15", float)
CELERY_BEAT_SCHEDULE = {
    # A run that is not taken before the next one is due has nothing left to do.
    "settle-due": {
        "task": "amcash.settle_due",
        "schedule": SETTLE_EVERY_S,
        "options": {"expires": SETTLE_EVERY_S},
    },
    "settle-issuance": {
        "task": "issuance.settle_due",
        "schedule": SETTLE_EVERY_S,
        "options": {"expires": SETTLE_EVERY_S},
    },
    # It looks whether a night's purge is due; most of the time none is.
    "purge": {
        "task": "office.purge",
        "schedule": PURGE_LOOK_EVERY_S,
        "options": {"expires": PURGE_LOOK_EVERY_S},
    },
    "echo": {
        "task": "amcash.echo",
        "schedule": ECHO_EVERY_S,
        "options": {"expires": ECHO_EVERY_S},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    # All is JSON; a parameter `format` is as unknown as any other.
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "Milepost: the switch and the API",
    "DESCRIPTION": "The AIR MILES Real-Time Checkout API as Milepost serves it to tills, and "
    "`/api/v1/`: the log, stores, devices and offers to be read by the retailer's own programs.",
    "VERSION": MILEPOST_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "backoffice.switch.schema.finished",
    ],
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "DISABLE_ERRORS_AND_WARNINGS": False,
}
LOGGING = logging_settings(is_production=env.is_production)

# Last, so that it has every fault.
env.finish()
