"""How a rule about rows becomes SQL over the batch's columns as text; nothing here touches a database.

A predicate is read as a CHECK constraint is: a row breaks the rule only where the predicate is false, not where it
is null. What counts as a date or a number is said by the `ops.parse_…` functions, which staging uses too.
"""

import datetime as dt

from quality.suite import Among, Document, Expectation, Parses
from warehouse.database import quote_identifier

# PostgreSQL's text cannot hold U+0000 and refuses half of a surrogate pair, so a document with such an escape
# could be landed but never be read. A backslash that is itself escaped begins no escape, so those give way to a blank
# first (to nothing, and what stands around them might look like one); whole pairs go before halves are looked for.
_ESCAPED_BACKSLASH = r"\\\\"
_PAIR = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_UNREADABLE_ESCAPE = r"\\u(0000|[dD][89a-fA-F])"


def predicate(rule: Expectation) -> str:
    """The SQL condition that every row has to keep; it sees each column as text, under its own name."""
    if rule.present is not None:
        return " and ".join(_filled(column) for column in rule.present)
    if rule.parses is not None:
        return _parses(rule.parses)
    if rule.among is not None:
        return _among(rule.among)
    if rule.json_ is not None:
        return _document(rule.json_)
    if rule.holds is not None:
        return rule.holds
    raise ValueError(f"{rule.name} is not a rule about rows")


def quote_literal(value: object) -> str:
    """`value` as an SQL string literal, whatever `standard_conforming_strings` says."""
    text = str(value).replace("'", "''")
    return f"E'{text.replace(chr(92), chr(92) * 2)}'" if "\\" in text else f"'{text}'"


def _filled(column: str) -> str:
    return f"coalesce(btrim({quote_identifier(column)}), '') <> ''"


def _blank(column: str) -> str:
    return f"coalesce(btrim({quote_identifier(column)}), '') = ''"


def _parses(rule: Parses) -> str:
    whole = rule.as_ == "whole_number"
    kind = "number" if whole else rule.as_
    parsed = f"ops.parse_{kind}({quote_identifier(rule.column)})"
    bounds = [
        f"{parsed} {sign} {_bound(bound, kind)}"
        for sign, bound in ((">=", rule.from_), ("<=", rule.to))
        if bound is not None
    ]
    if rule.from_ is not None and rule.to is not None:
        bounds = [f"{parsed} between {_bound(rule.from_, kind)} and {_bound(rule.to, kind)}"]
    kept = [*bounds, *([f"{parsed} % 1 = 0"] if whole else [])]
    # A value that cannot be parsed makes every bound null, which `is true` turns into a breach.
    sound = f"({' and '.join(kept)}) is true" if kept else f"{parsed} is not null"
    return f"{sound} or {_blank(rule.column)}"


def _bound(value: str | float | dt.date, kind: str) -> str:
    sql_type = {"date": "date", "timestamp": "timestamptz", "number": "numeric", "boolean": "boolean"}[kind]
    return f"cast({quote_literal(value)} as {sql_type})"


def _among(rule: Among) -> str:
    values = ", ".join(quote_literal(value) for value in rule.values)
    return f"btrim({quote_identifier(rule.column)}) in ({values}) or {_blank(rule.column)}"


def _document(rule: Document) -> str:
    column = quote_identifier(rule.column)
    is_object = f"json_typeof(cast({column} as json)) = 'object'"
    members = [f"coalesce(cast({column} as json) ->> {quote_literal(name)}, '') <> ''" for name in rule.has]
    # `case` is the only guarantee that the cast happens after the check.
    return (
        f"case when {_blank(rule.column)} then true"
        f" when ops.is_json({column}) is not true then false"
        f" when strpos({column}, {quote_literal(chr(92) + 'u')}) > 0"
        f" and regexp_replace(regexp_replace({column}, {quote_literal(_ESCAPED_BACKSLASH)}, ' ', 'g'),"
        f" {quote_literal(_PAIR)}, '', 'g') ~ {quote_literal(_UNREADABLE_ESCAPE)}"
        f" then false"
        f" else {' and '.join([is_object, *members])} end"
    )
