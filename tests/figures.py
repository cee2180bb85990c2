"""Finds a figure in a text as a reader would: 820 stands in "820 miles", not in 8,200 or a time."""

import re


def stands_in(figure: str, text: str) -> bool:
    """Say whether the figure stands in the text by itself."""
    return re.search(rf"(?<![\w.,:-]){re.escape(figure)}(?![\w,:-])", text) is not None
