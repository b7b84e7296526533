"""What several routes take, checked: texts that people type, passwords, ids."""

from typing import Annotated

from fastapi import Depends, Request, Response
from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from serving.identity.passwords import LONGEST, SHORTEST

# PostgreSQL keeps no NUL, and nobody types a control character on purpose.
_PLAIN = r"^[^\x00-\x1f\x7f]*$"


def _long_enough(password: SecretStr) -> SecretStr:
    # The library would say that a value has items.
    if not SHORTEST <= len(password) <= LONGEST:
        raise ValueError(f"a password has {SHORTEST} to {LONGEST} characters, and this one {len(password)}")
    return password


Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=_PLAIN)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=_PLAIN)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=_PLAIN)]
Code = Annotated[str, StringConstraints(min_length=6, max_length=40, pattern=_PLAIN)]
OneTime = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=_PLAIN),
    Field(examples=["0123456789ab_5sJ0bGxvV1mJYkq3m0Tf0w"]),
]
NewPassword = Annotated[
    SecretStr,
    AfterValidator(_long_enough),
    Field(json_schema_extra={"minLength": SHORTEST, "maxLength": LONGEST}),
]
Password = Annotated[SecretStr, Field(min_length=1, max_length=LONGEST)]


async def _unstored(response: Response) -> None:
    # RFC 6749, 5.1: what lets somebody in is kept by nobody on the way.
    response.headers["Cache-Control"] = "no-store"


UNSTORED = Depends(_unstored)


def is_text(given: str) -> bool:
    """Whether it can be written: JSON may hold half a character, which no answer and no table can."""
    return not any("\ud800" <= character <= "\udfff" for character in given)


def address_of(request: Request) -> str:
    """Where a request comes from; behind a proxy on this machine, what the proxy says."""
    return request.client.host if request.client is not None else "nowhere"
