"""The switch's OpenAPI document, and the same as a page for people. Neither tells a secret."""

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
    """Show the calls, their fields and their samples."""
    calls = [
        _call(path, operation["post"])
        for path, operation in document()["paths"].items()
        if "post" in operation
    ]
    context = {"calls": calls, "title": document()["info"]["title"]}
    return render(request, "switch/reference.html", context)


def _call(path: str, operation: dict[str, Any]) -> dict[str, Any]:
    body = operation["requestBody"]["content"][JSON]["schema"]
    required = set(body.get("required", ()))
    fields = [
        {"name": name, "is_required": name in required, "form": _form(form)}
        for name, form in body["properties"].items()
    ]
    answers = [
        {"status": status, "text": answer["description"]}
        for status, answer in operation["responses"].items()
    ]
    return {
        "path": path,
        "id": operation["operationId"],
        "summary": operation["summary"],
        "fields": fields,
        "answers": answers,
        "samples": [
            {"name": one["name"], "text": json.dumps(one["request"], indent=2, ensure_ascii=False)}
            for one in samples()
            if one["path"] == path
        ],
    }


def _form(form: dict[str, Any]) -> str:
    """Return what a field must look like, in one line."""
    kind = form.get("type") or "string, or whole number"
    if isinstance(kind, list):
        # Null is the same as left out, of which the page speaks elsewhere.
        kind = next(one for one in kind if one != "null")
    if kind == "array" and form["items"].get("type") == "object":
        inner = form["items"]
        required = set(inner.get("required", ()))
        names = (f"{name}*" if name in required else name for name in inner["properties"])
        return f"list of: {', '.join(names)}"
    return " ".join(filter(None, (kind, form.get("format", ""), form.get("pattern", ""))))
