"""The data dictionary: every mart with its grain, columns, keys, readers, owner and tests, as one Markdown page."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from orchestration.star_docs.star import SAVED_QUERIES, Check, Mart
from warehouse.policy import MartPolicy, Policy

_INTRODUCTION = """# Data dictionary

What every table of the schema `marts` and every view of the schema `metrics` holds, area by area. The same descriptions
are comments in the database, so that a BI tool or psql (`\\d+ marts.fact_subscriptions`) shows them. How the tables
hang together is drawn in [the star](star.md).

A column is marked **PK** when it belongs to the primary key, **FK** when it names a row of another table, **UK** when
its values occur once. Columns where `null` says *yes* may be empty.
"""


def dictionary(marts: Iterable[Mart], policy: Policy) -> str:
    """The page; `marts` come sorted by area."""
    areas = [(area, list(members)) for area, members in groupby(marts, key=lambda mart: mart.area)]
    parts = [_INTRODUCTION, *(f"- [{area}](#{area}): {_listed(members)}" for area, members in areas), ""]
    for area, members in areas:
        parts.append(f"## {area}\n")
        parts += [_entry(mart, policy) for mart in members]
    return "\n".join(parts).rstrip() + "\n"


def _listed(marts: list[Mart]) -> str:
    return ", ".join(f"[`{mart.name}`](#{mart.name})" for mart in marts)


def _entry(mart: Mart, policy: Policy) -> str:
    facts = [
        ("Primary key", _names(mart.primary_key)),
        ("Read by", _readers(mart, policy)),
        ("Owner", mart.owner),
    ]
    rest = mart.description.removeprefix(mart.grain)
    lines = [f"### `{mart.name}`\n", f"**{mart.grain}**{rest}", ""]
    lines += [f"- **{name}**: {said}" for name, said in facts if said]
    lines += [line for kind in sorted({check.kind for check in mart.checks}) for line in _checks(mart.checks, kind)]
    lines += ["", *(_plain_table(mart) if mart.area == SAVED_QUERIES else _table(mart))]
    return "\n".join([*lines, ""])


def _table(mart: Mart) -> Iterator[str]:
    yield "| column | type | null | key | description |"
    yield "| --- | --- | --- | --- | --- |"
    for column in mart.columns:
        nullable = "yes" if column.is_nullable else "no"
        key, said = _key(mart, column.name), _cell(column.description)
        yield f"| `{column.name}` | {column.data_type} | {nullable} | {key} | {said} |"


def _plain_table(mart: Mart) -> Iterator[str]:
    """Of a view, which has neither keys nor constraints."""
    yield "| column | description |"
    yield "| --- | --- |"
    for column in mart.columns:
        yield f"| `{column.name}` | {_cell(column.description)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _key(mart: Mart, column: str) -> str:
    foreign = mart.key_to(column)
    marks = [
        "PK" if column in mart.primary_key else "",
        "UK" if column in mart.unique else "",
        f"FK → [`{foreign.mart}`](#{foreign.mart})" if foreign else "",
    ]
    return ", ".join(mark for mark in marks if mark)


def _readers(mart: Mart, policy: Policy) -> str:
    if mart.area == SAVED_QUERIES:
        return "analysts, every row; an organization, its own rows, as the marts behind it give them."
    said = policy.mart(mart.name)
    return " ".join(part for part in (_rows(said), _personal(said), _hidden(said)) if part)


def _rows(policy: MartPolicy) -> str:
    if policy.internal:
        return "analysts, every row; no organization."
    if policy.shared:
        return "analysts and every organization, every row."
    return f"analysts, every row; an organization, the rows whose `{policy.organization_column}` is its own."


def _personal(policy: MartPolicy) -> str:
    return f"Personal, so masked for analysts: {_names(policy.personal)}." if policy.personal else ""


def _hidden(policy: MartPolicy) -> str:
    hidden = policy.hidden_from_tenants
    return f"Hidden from organizations: {_names(hidden)}." if hidden else ""


def _checks(checks: Iterable[Check], kind: str) -> list[str]:
    said = [f"  - `{check.name}`{f': {check.says}' if check.says else ''}" for check in checks if check.kind == kind]
    return [f"- **{kind.capitalize()}s**", *said]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
