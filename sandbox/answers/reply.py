"""Writes an answer out, and notes for the exchange log what it was."""

from django.http import HttpResponse
from rest_framework.request import Request

from sandbox import wire
from sandbox.answers.engine import Answer


def respond(request: Request, answer: Answer) -> HttpResponse:
    """Return the answer as a door gives it; what it did is noted beside the exchange."""
    notes = wire.notes_of(request._request)
    notes.code = answer.code
    notes.has_effect = answer.has_effect
    notes.is_replay = answer.is_replay
    return HttpResponse(answer.body, status=answer.status, content_type=wire.JSON_TYPE)
