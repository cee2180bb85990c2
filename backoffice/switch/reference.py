"""The OpenAPI document of the switch and the API, and the same as a page for people. Neither tells
a secret.
"""

import functools
import json
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

from backoffice.devices.middleware import needs_no_device
from backoffice.switch.schema import JSON, samples


@functools.cache
def document() -> dict[str, Any]:
    """Return the OpenAPI document of everything that is served to machines."""
    generator = SchemaGenerator()  # type: ignore[no-untyped-call]
    found: dict[str, Any] = generator.get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


@needs_no_device
@login_not_required
@require_safe
def schema(request: HttpRequest) -> HttpResponse:
    """Serve the OpenAPI document."""
    return HttpResponse(json.dumps(document()), content_type="application/json")


@needs_no_device
@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Show the calls with their fields and samples, and what there is to be read."""
    paths = document()["paths"].items()
    context = {
        "calls": [_call(path, one["post"]) for path, one in paths if "post" in one],
        "resources": [_resource(path, one["get"]) for path, one in paths if "get" in one],
    }
    return render(request, "switch/reference.html", context)


def _call(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation["requestBody"]["content"][JSON]["schema"]
    required = set(body.get("required", ()))
    fields = [
        {"name": name, "is_required": name in required, "form": _form(form, tells_null=False)}
        for name, form in body["properties"].items()
    ]
    return {
        **_operation(path, operation),
        "fields": fields,
        "samples": [
            {"name": one["name"], "text": json.dumps(one["request"], indent=2, ensure_ascii=False)}
            for one in samples()
            if one["path"] == path
        ],
    }


def _resource(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    given = [one for one in operation.get("parameters", ()) if one["in"] in {"path", "query"}]
    form = operation["responses"]["200"]["content"][JSON]["schema"]
    return {
        **_operation(path, operation),
        "needs": operation["description"],
        "parameters": [
            {
                "name": one["name"],
                "form": _form(one["schema"]),
                "text": one["description"],
            }
            for one in given
        ],
        "fields": [{"name": name, "form": _form(of)} for name, of in form["properties"].items()],
    }


def _operation(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": path,
        "id": operation["operationId"],
        "summary": operation["summary"],
        "answers": [
            {"status": status, "text": answer["description"]}
            for status, answer in operation["responses"].items()
        ],
    }


def _form(form: dict[str, Any], *, tells_null: bool = True) -> str:
    """Return what a field looks like, in one line; in a request null is the same as left out."""
    kind: Any = form.get("type") or "string, or whole number"
    if isinstance(kind, list):
        kind = " or ".join(one for one in kind if tells_null or one != "null")
    if form.get("enum"):
        return " | ".join("null" if word is None else str(word) for word in form["enum"])
    if kind == "array" and form["items"].get("type") == "object":
        return f"list of: {_names(form['items'])}"
    if kind == "array":
        return f"list of: {_form(form['items'])}"
    if kind == "object" and form.get("properties"):
        return f"object: {_names(form)}"
    return " ".join(filter(None, (kind, form.get("format", ""), form.get("pattern", ""))))


def _names(form: dict[str, Any]) -> str:
    """Return the names of an object's fields; those of a request that must be there have a star."""
    required = set(form.get("required", ()))
    is_exact = form.get("additionalProperties") is False
    return ", ".join(
        f"{name}*" if name in required and not is_exact else name for name in form["properties"]
    )
