"""Answers the platform remembers, so that a repeated request has no second effect."""

from django.db import models


class StoredAnswer(models.Model):
    """What was answered to a key, or without one to a body; kept byte for byte once final."""

    path = models.CharField(max_length=100)
    key = models.CharField(max_length=255, default="")
    body_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    code = models.CharField(max_length=30)
    body = models.BinaryField()
    is_final = models.BooleanField(default=True)
    stored_at = models.DateTimeField()

    class Meta:
        # The two below are for part of the rows each, and no query is known to be about one part.
        indexes = (models.Index(fields=("path", "key", "body_sha256"), name="answer_by_request"),)
        constraints = (
            models.UniqueConstraint(
                fields=("path", "key"),
                condition=~models.Q(key=""),
                name="one_answer_for_each_key",
            ),
            models.UniqueConstraint(
                fields=("path", "body_sha256"),
                condition=models.Q(key=""),
                name="one_answer_for_each_body_without_key",
            ),
        )

    def __str__(self) -> str:
        return f"{self.status} for {self.path}"
