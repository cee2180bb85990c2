"""What the office's forms have in common: where a reader's eyes and keys go after a fault."""

from django import forms


class FocusedForm(forms.Form):
    """A form that lets the browser start at the first field that needs correcting.

    Which field has which fault Django tells screen readers by itself.
    """

    def focus_on_fault(self) -> None:
        """Put the focus on the first field with a fault. Only for a form that was sent."""
        first = next((name for name in self.fields if name in self.errors), None)
        if first is not None:
            self.fields[first].widget.attrs["autofocus"] = True
