"""What is said where a text does not have the form that its proto's pattern asks for?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_LABEL_KEY = (
    "1 to 63 characters: lower-case letters, digits and . _ - /, with a letter or digit first"
)

#: By the pattern, as it stands in the protos.
PATTERN_WORDS: Final[Mapping[str, str]] = {
    r"^[^\x00]*$": "must not contain the character U+0000",
    r"^[A-Za-z0-9._:-]{0,128}$": "must be at most 128 letters, digits and . _ : - characters",
    r"^[A-Za-z0-9._:-]{1,128}$": "must be 1 to 128 letters, digits and . _ : - characters",
    r"^[a-z0-9][a-z0-9._/-]{0,62}$": f"is no label's key, which has {_LABEL_KEY}",
    r"^[a-z0-9][a-z0-9._/-]{0,62}=[^\x00]*$": f"must be key=value, where the key has {_LABEL_KEY}",
    r"^([0-9a-f]{64})?$": "must be 64 hex digits in lower case",
    r"^[^\x00-\x1f/\\]*$": "must be a name without / and \\ and control characters",
}
