"""Why somebody is turned away; the HTTP door has a status for each."""

from warehouse.errors import DataInsightError


class NotAuthenticatedError(DataInsightError):
    """Whoever they are, they have not shown it."""


class NotAllowedError(DataInsightError):
    """They may not do this, whatever else they may."""


class NotFoundError(DataInsightError):
    """There is no such thing, or it is none of theirs; which of the two is not said."""


class ConflictError(DataInsightError):
    """It is there already, or is not as it would have to be."""


class TooLargeError(DataInsightError):
    """It is more than there is room for."""


class TooManyAttemptsError(DataInsightError):
    """They have guessed, or asked, too often.

    Args:
        retry_seconds: When they may try again.
        message: What was too often.
    """

    def __init__(self, retry_seconds: int, message: str = "that was too often") -> None:
        super().__init__(message, hint=f"try again in {retry_seconds} seconds")
        self.retry_seconds = retry_seconds
