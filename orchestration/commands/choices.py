"""Words of a command that must be one of a few."""

from enum import StrEnum
from typing import TypeVar

import typer

Choice = TypeVar("Choice", bound=StrEnum)


def one_of(choices: type[Choice], given: str, option: str) -> Choice:
    """The choice that was given.

    Raises:
        typer.BadParameter: There is none of that name.
    """
    try:
        return choices(given)
    except ValueError as error:
        kind, allowed = choices.__name__.lower(), ", ".join(choices)
        raise typer.BadParameter(f"there is no {kind} {given!r}; allowed are {allowed}", param_hint=option) from error
