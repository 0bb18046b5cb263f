"""What ends the demo early."""


class DemoError(Exception):
    """Something that the demo promises was not seen; the message says what, `fix` how to go on."""

    def __init__(self, reason: str, fix: str = "") -> None:
        super().__init__(reason)
        self.reason, self.fix = reason, fix
