"""What is a job called, of the text that it was given? One short line that shows what it says."""

from __future__ import annotations

from typing import Final
from unicodedata import category

from gateway.domain.file_inputs import names_a_file

LONGEST: Final = 200
_LOOKED_AT: Final = 4000
# They turn the text around them, or are not seen: a title stands among the words of others.
_BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_UNSEEN: Final = "\u200b\u2060\ufeff"
_OUT: Final = frozenset(_BIDI + _UNSEEN)


def titled(text: str) -> str:
    """The beginning of *text*. Empty for a file, and for what shows nothing."""
    if names_a_file(text.strip()):
        return ""
    line = " ".join(text[:_LOOKED_AT].split())
    shown = "".join(each for each in line if each not in _OUT and category(each) != "Cc")
    return " ".join(shown.split())[:LONGEST].rstrip()
