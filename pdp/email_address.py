"""The one form of e-mail address that is used: what no header and no list of recipients can be made of. Pure."""

import re

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def is_email_address(text: object) -> bool:
    """Whether it is `name@host`, in ASCII, without quotes, comments, blanks, and words that a header decodes."""
    return isinstance(text, str) and bool(_ADDRESS.fullmatch(text)) and ".." not in text and "=?" not in text
