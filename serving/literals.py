"""Turns filter values into typed SQL literals: checked against the dimension's type, never spliced into text."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from serving.query import Scalar
from warehouse.errors import DataInsightError

if TYPE_CHECKING:
    from sqlglot import exp

_TRUTHS = {"true": True, "false": False}


def literal(value: Scalar, type_name: str, dimension: str) -> "exp.Expr":
    """A value as a literal of a dimension's type; texts that spell such a value are taken too.

    Args:
        value: What the user gave.
        type_name: `string`, `integer`, `decimal`, `double`, `boolean`, `date` or `timestamp`.
        dimension: Named in the message.

    Raises:
        DataInsightError: The value is not of that type.
    """
    try:
        return _MAKERS[type_name](value)
    except (ValueError, InvalidOperation) as error:
        raise DataInsightError(
            f"{value!r} is no {type_name}, and {dimension} is one",
            hint=_EXAMPLES[type_name],
        ) from error


def _string(value: Scalar) -> "exp.Expr":
    from sqlglot import exp

    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # A lone surrogate is no text that a table could hold.
    return exp.Literal.string(value)


def _integer(value: Scalar) -> "exp.Expr":
    number = _number(value)
    if number != number.to_integral_value():
        raise ValueError
    return _exact(number)


def _decimal(value: Scalar) -> "exp.Expr":
    return _exact(_number(value))


def _number(value: Scalar) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError  # noqa: TRY004 - one message for whatever is no number
    number = Decimal(str(value))
    if not number.is_finite() or number.adjusted() > _LARGEST_EXPONENT:
        raise ValueError
    return number


def _exact(number: Decimal) -> "exp.Expr":
    from sqlglot import exp

    made = exp.Literal.number(f"{abs(number):f}")
    return exp.Neg(this=made) if number < 0 else made


def _boolean(value: Scalar) -> "exp.Expr":
    from sqlglot import exp

    truth = _TRUTHS.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        raise ValueError  # noqa: TRY004 - one message for whatever is no truth value
    return exp.Boolean(this=truth)


def date_literal(value: Scalar) -> "exp.Expr":
    """`cast('2024-12-31' as date)`."""
    from sqlglot import exp

    if isinstance(value, datetime) or not isinstance(value, (date, str)):
        raise ValueError  # noqa: TRY004 - one message for whatever is no day
    day = date.fromisoformat(value) if isinstance(value, str) else value
    return exp.cast(exp.Literal.string(day.isoformat()), "date")


def _timestamp(value: Scalar) -> "exp.Expr":
    from sqlglot import exp

    if not isinstance(value, (date, str)):
        raise ValueError  # noqa: TRY004 - one message for whatever is no moment
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    return exp.cast(exp.Literal.string(moment.isoformat()), "timestamptz")


# DuckDB's decimals end there; a larger number can equal no value of the store.
_LARGEST_EXPONENT = 30

_MAKERS: "dict[str, Callable[[Scalar], exp.Expr]]" = {
    "string": _string,
    "integer": _integer,
    "decimal": _decimal,
    "double": _decimal,
    "boolean": _boolean,
    "date": date_literal,
    "timestamp": _timestamp,
}
_EXAMPLES = {
    "string": 'give a text, such as "DE"',
    "integer": "give a whole number, such as 5",
    "decimal": "give a number, such as 12.50",
    "double": "give a number, such as 12.5",
    "boolean": "give true or false",
    "date": "give a day, such as 2024-12-31",
    "timestamp": "give a moment, such as 2024-12-31T12:00:00Z",
}
