"""What can go wrong with the box.

BoxError: a message that says what, where and how to mend it.
"""


class BoxError(Exception):
    """The box cannot do what was asked; the message says how to mend it."""
