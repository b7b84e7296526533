"""The kinds of error that a user is meant to read."""


class DataInsightError(Exception):
    """Something the user can understand and act on; shown as one line and a hint, never as a traceback.

    Args:
        message: What is wrong, where, and what is allowed, in one line.
        hint: What to do about it, in one line.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UnavailableError(DataInsightError):
    """What was asked for may be right, and cannot be had now: nothing was published yet, or it is out of reach."""
