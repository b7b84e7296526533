"""The policy file: what it may say, and how clearly it is told what it may not."""

from pathlib import Path

import pytest

from warehouse.errors import DataInsightError
from warehouse.policy import MartPolicy, load_policy


def loaded(tmp_path: Path, rule: str) -> MartPolicy:
    file = tmp_path / "policy.yaml"
    file.write_text(f"marts: {{f: {rule}}}", encoding="utf-8")
    return load_policy(file).mart("f")


@pytest.mark.parametrize(
    ("rule", "stated"),
    [
        ("{organization_column: o}", {"organization_column": "o"}),
        ("{shared: true}", {"shared": True}),
        ("{internal: true, personal: [a]}", {"internal": True, "personal": ["a"]}),
        (
            "{organization_column: o, personal: [a, b], hidden_from_tenants: [b, c]}",
            {"organization_column": "o", "personal": ["a", "b"], "hidden_from_tenants": ["b", "c"]},
        ),
        ("{shared: true, hidden_from_tenants: [c]}", {"shared": True, "hidden_from_tenants": ["c"]}),
        ("{internal: true, shared: false, personal: []}", {"internal": True}),
    ],
)
def test_a_rule_is_what_it_says(tmp_path: Path, rule: str, stated: dict[str, object]) -> None:
    assert loaded(tmp_path, rule).rule == stated


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("{}", "say one of"),
        ("{personal: [a]}", "say one of"),
        ("{shared: true, internal: true}", "say one of"),
        ("{organization_column: o, internal: true}", "say one of"),
        ("{organization_column: ''}", "organization_column"),
        ("{shared: true, personal: [a]}", "a shared mart has no personal columns"),
        ("{internal: true, hidden_from_tenants: [a]}", "hidden from every organization as a whole"),
        ("{organization_column: o, personal: [o]}", "o says whose a row is"),
        ("{organization_column: o, hidden_from_tenants: [o]}", "o says whose a row is"),
        ("{organization_column: o, personal: [a, a]}", "named twice"),
        ("{organization_column: o, personal: a}", "personal"),
        ("{organization_column: o, public: true}", "public"),
    ],
)
def test_a_rule_that_cannot_be_says_where_and_why(tmp_path: Path, rule: str, reason: str) -> None:
    with pytest.raises(DataInsightError, match=reason) as caught:
        loaded(tmp_path, rule)
    assert "marts.f" in caught.value.message
    assert "\n" not in caught.value.message
    assert "organization_column" in str(caught.value.hint)


def test_the_platforms_own_policy_is_one() -> None:
    policy = load_policy()
    assert policy.mart("dim_users").personal == ("login",)
    assert policy.mart("fact_batches").internal
    with pytest.raises(DataInsightError, match="fact_nothing is not in the tenant policy"):
        policy.mart("fact_nothing")
