"""The variables that a dbt command is given, beside those of the platform."""

import json
from typing import Any

import pytest

from orchestration.dbt import _with_variables
from warehouse.errors import DataInsightError

PLATFORM = {"sources": ["saas"], "holiday_country": "US"}


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ([], {}),
        (["--vars", "as_of: 12"], {"as_of": 12}),
        (["--vars=as_of: 12"], {"as_of": 12}),
        (['--vars={"as_of": 12, "holiday_country": "GB"}'], {"as_of": 12, "holiday_country": "GB"}),
        (["--vars=as_of: '18:00=x'"], {"as_of": "18:00=x"}),
        (["--vars", "as_of: 2026-01-31 18:00:00"], {"as_of": "2026-01-31 18:00:00"}),
        # As in dbt, the last one counts, and the others are not even read.
        (["--vars", "as_of: 1", "--vars=as_of: 2"], {"as_of": 2}),
        (["--vars=[", "--vars", "as_of: 2"], {"as_of": 2}),
    ],
)
def test_variables_are_added_to_those_of_the_platform(options: list[str], given: dict[str, Any]) -> None:
    *others, name, stated = _with_variables(["build", *options, "--select", "dim_users"], PLATFORM)
    assert [*others, name] == ["build", "--select", "dim_users", "--vars"]
    assert json.loads(stated) == {**PLATFORM, **given}


@pytest.mark.parametrize("options", [["--vars"], ["--vars", ""], ["--vars=12"], ["--vars={}"], ["--vars", "as_of: ["]])
def test_what_is_no_set_of_variables_is_refused(options: list[str]) -> None:
    with pytest.raises(DataInsightError, match="is no set of variables") as caught:
        _with_variables(["build", *options], PLATFORM)
    assert caught.value.hint == "write --vars 'as_of: 12'"
