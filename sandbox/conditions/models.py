"""What the platform is told to be like: one row for each switch that differs from its default."""

from django.db import models


class Condition(models.Model):
    """A switch, or part of the clock, set through the control plane."""

    name = models.CharField(max_length=40, primary_key=True)
    value = models.JSONField()

    def __str__(self) -> str:
        return f"{self.name} = {self.value!r}"
