"""`datainsight users`: what is printed, and what is refused."""

import pytest

from tests.serving.http.people import audited
from tests.support import Platform
from warehouse.database import Warehouse


def test_somebody_is_added_once_and_more_than_once_a_member(platform: Platform) -> None:
    done = platform("users", "add", "Ann@Example.com", "--organization", "acme", "--role", "admin", "--name", "Ann")
    password = done.stdout.strip()
    assert len(password) == 24
    assert "shown only now" in done.stderr
    # Who has an account keeps the password.
    again = platform.json("users", "add", "ann@example.com", "--organization", "bolt")
    assert (again["email"], again["role"], again["password"]) == ("ann@example.com", "viewer", None)
    platform.json("users", "add", "ann@example.com", "--organization", "acme", "--role", "editor")
    platform.json("users", "add", "olga@example.com", "--role", "operator")

    ann, olga = platform.json("users", "list")["users"]
    assert ann["memberships"] == [
        {"organization_id": "acme", "role": "editor"},
        {"organization_id": "bolt", "role": "viewer"},
    ]
    assert (ann["name"], ann["is_operator"], olga["is_operator"], olga["memberships"]) == ("Ann", False, True, [])
    assert "acme: editor, bolt: viewer" in platform("users", "list").stdout
    assert password not in str(ann)

    assert "ann@example.com is let in no more" in platform("users", "disable", "ann@example.com").stdout
    assert platform.json("users", "list")["users"][0]["disabled_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add", "ann@example.com"], 1, "belongs to an organization"),
        (["add", "ann@example.com", "--organization", "acme", "--role", "operator"], 1, "across organizations"),
        (["add", "ann@example.com", "--organization", "acme", "--role", "king"], 2, "viewer, editor, admin, operator"),
        (["add", "ann", "--organization", "acme"], 1, "no e-mail address"),
        (["disable", "ann@example.com"], 1, "there is nobody"),
        (["password", "ann@example.com"], 1, "there is nobody"),
    ],
)
def test_somebody_who_cannot_be_is_one_line(platform: Platform, arguments: list[str], code: int, words: str) -> None:
    done = platform("users", *arguments)
    assert done.returncode == code, done.stderr
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert platform.json("users", "list") == {"users": []}


def test_a_new_password_is_set_by_a_text_that_is_shown_once(platform: Platform) -> None:
    platform.json("users", "add", "ann@example.com", "--organization", "acme")
    done = platform("users", "password", "ann@example.com")
    assert done.stdout.startswith("dp_")
    assert "shown only now" in done.stderr
    assert platform.json("users", "password", "ann@example.com")["reset"] not in done.stdout


def test_an_organization_has_a_plan_of_those_there_are(platform: Platform, warehouse: Warehouse) -> None:
    platform.environment["DATAINSIGHT_RATE_LIMITS"] = '{"large": 60000}'
    assert platform.json("tenants", "plan", "acme", "large") == {"organization_id": "acme", "plan": "large"}
    assert "acme has the plan standard" in platform("tenants", "plan", "acme", "standard").stdout
    refused = platform("tenants", "plan", "acme", "huge")
    assert refused.returncode == 1
    assert "there is no plan 'huge'; there are large, standard" in " ".join(refused.stderr.split())
    given = [("organizations.plan", {"plan": plan}) for plan in ("large", "standard")]
    assert audited(warehouse, "command") == given
