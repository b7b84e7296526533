"""What a suite file may say, and reading one; how a rule becomes SQL is in `predicates`, judging in `verdicts`."""

import datetime as dt
import re
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from warehouse.errors import DataInsightError

SUITES_FOLDER = Path(__file__).parent / "suites"

Severity = Literal["row", "batch", "warn"]
_NAME = r"[a-z][a-z0-9_]*"
Name = Annotated[str, Field(pattern=f"^{_NAME}$")]
Sentence = Annotated[str, Field(min_length=10)]
Column = Annotated[str, Field(min_length=1)]
Columns = Annotated[list[Column], Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Threshold(_Strict):
    """A tolerated share of rows, with the day it was set and why it is what it is."""

    at_most: Annotated[float, Field(ge=0, lt=1)]
    since: dt.date
    reason: Sentence


class Parses(_Strict):
    """A column whose filled values can be read as a type, within bounds; blanks are fine."""

    column: Column
    as_: Annotated[Literal["date", "timestamp", "number", "whole_number", "boolean"], Field(alias="as")]
    from_: Annotated[str | int | float | dt.date | None, Field(alias="from")] = None
    to: str | int | float | dt.date | None = None


class Among(_Strict):
    """A column whose filled values are all in a known set; blanks are fine."""

    column: Column
    values: Annotated[list[str], Field(min_length=1)]


class Document(_Strict):
    """A column whose filled values are JSON objects that carry filled members; blanks are fine."""

    column: Column
    has: list[str] = []


KINDS = ("present", "parses", "among", "json", "holds", "unique", "rows_at_least", "share_of_broken_rows")
_OF_ROWS = KINDS[:5]


class Expectation(_Strict):
    """One named rule. Exactly one of the kinds is given; the fields' meaning is in docs/quality.md."""

    name: Annotated[str, Field(min_length=1)]
    description: Sentence
    severity: Severity
    owner: Annotated[str, Field(min_length=1)]
    tolerance: Threshold | None = None

    present: Columns | None = None
    parses: Parses | None = None
    among: Among | None = None
    json_: Annotated[Document | None, Field(alias="json")] = None
    holds: Annotated[str, Field(min_length=1)] | None = None
    unique: Columns | None = None
    rows_at_least: Annotated[int, Field(ge=1)] | None = None
    share_of_broken_rows: Threshold | None = None

    @property
    def kind(self) -> str:
        """Which of `KINDS` this rule is."""
        return next(kind for kind in KINDS if self._given(kind))

    @property
    def is_about_rows(self) -> bool:
        """Whether the rule is kept or broken by each row alone."""
        return self.kind in _OF_ROWS

    def _given(self, kind: str) -> bool:
        return getattr(self, "json_" if kind == "json" else kind) is not None

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        given = [kind for kind in KINDS if self._given(kind)]
        if len(given) != 1:
            raise ValueError(f"exactly one of {', '.join(KINDS)} must be given, not {len(given)}")
        if self.unique is not None and self.name != unique_name(self.unique):
            raise ValueError(f"a rule on this key must be named {unique_name(self.unique)}")
        if self.unique is None and not re.fullmatch(_NAME, self.name):
            raise ValueError(f"the name {self.name} must be lower-case letters, digits and underscores")
        if self.severity == "row" and given[0] in ("rows_at_least", "share_of_broken_rows"):
            raise ValueError(f"{given[0]} is about the whole batch: severity must be batch or warn")
        if self.tolerance is not None and (self.severity == "row" or given[0] not in _OF_ROWS):
            raise ValueError("tolerance needs a rule about rows with severity batch or warn")
        return self


class Suite(_Strict):
    """What is expected of every batch of one landed table."""

    source: Name
    table: Name
    description: Sentence
    owner: Annotated[str, Field(min_length=1)]
    required_columns: Columns
    optional_columns: list[Column] = []
    expectations: list[Expectation]

    @property
    def columns(self) -> list[str]:
        """Every column the suite knows."""
        return [*self.required_columns, *self.optional_columns]

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [*RESERVED, *(rule.name for rule in self.expectations)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the name {twice[0]} is taken: names must differ")
        for rule in self.expectations:
            unknown = sorted(set(_columns_of(rule)) - set(self.columns))
            if unknown:
                raise ValueError(f"{rule.name} is about {unknown[0]}, which is not among the suite's columns")
        return self


# Checks that every batch gets, whatever its suite says.
RESERVED = ("required_columns", "known_columns", "all_rows_accounted_for", "covered_by_a_suite", "unreadable_line")


def unique_name(columns: list[str]) -> str:
    """The name of the rule that a key's rows do not contradict each other."""
    return "unique_" + "_".join(columns)


def load_suite(source: str, table: str, folder: Path = SUITES_FOLDER) -> Suite | None:
    """The suite of one landed table; None when no file covers it.

    Raises:
        DataInsightError: The file is malformed; the message names the file and the key.
    """
    path = folder / source / f"{table}.yaml"
    if not path.is_file():
        return None
    try:
        suite = Suite.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise DataInsightError(f"suite {path} is not YAML: {reason}", hint="docs/quality.md has an example") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(the whole file)"
        raise DataInsightError(
            f"suite {path}, key {key}: {first['msg'].removeprefix('Value error, ')}",
            hint="docs/quality.md lists what a suite may say",
        ) from error
    if (suite.source, suite.table) != (source, table):
        raise DataInsightError(
            f"suite {path}, key source/table: says {suite.source}.{suite.table}, must be {source}.{table}",
            hint="a suite stands at quality/suites/<source>/<table>.yaml",
        )
    return suite


def _columns_of(rule: Expectation) -> list[str]:
    one = rule.parses or rule.among or rule.json_
    return [*(rule.present or []), *(rule.unique or []), *([one.column] if one else [])]
