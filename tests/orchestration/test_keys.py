"""`datainsight keys`: what is printed, and what is refused."""

import pytest

from tests.support import Platform


def test_a_key_is_printed_alone_listed_and_revoked(platform: Platform) -> None:
    added = platform("keys", "add", "--organization", "acme", "--role", "admin", "--name", "a notebook", "--days", "30")
    key = added.stdout.strip()
    assert key.startswith("di_")
    assert "shown only now" in added.stderr
    scoped = platform.json("keys", "add", "--organization", "acme", "--scope", "metrics:read")["key"]
    of_operator = platform.json("keys", "add", "--role", "operator")["key"]

    newest, second, oldest = platform.json("keys", "list")["keys"]
    assert (second["key_id"], second["scopes"], oldest["scopes"]) == (scoped[3:15], ["metrics:read"], None)
    assert (newest["role"], newest["organization_id"]) == ("operator", None)
    assert (oldest["role"], oldest["organization_id"], oldest["name"]) == ("admin", "acme", "a notebook")
    assert oldest["expires_at"] is not None
    assert key[3:15] in platform("keys", "list").stdout

    assert platform.json("keys", "revoke", of_operator)["revoked_at"] is not None
    assert f"{key[3:15]} is revoked" in platform("keys", "revoke", key[3:15]).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["add"], 1, "belongs to an organization"),
        (["add", "--organization", "acme", "--role", "operator"], 1, "across organizations"),
        (["add", "--organization", "acme", "--role", "king"], 2, "no role"),
        (["add", "--organization", "acme", "--days", "0"], 2, "days"),
        (["add", "--organization", "acme", "--scope", "fly"], 2, "metrics:read"),
        (["add", "--organization", "acme", "--scope", "keys:write"], 1, "cannot carry keys:write"),
        (["revoke", "di_000000000000"], 1, "there is no key"),
    ],
)
def test_a_key_that_cannot_be_is_one_line(platform: Platform, arguments: list[str], code: int, words: str) -> None:
    done = platform("keys", *arguments)
    assert done.returncode == code, done.stderr
    # The lines of a usage error are folded in a box.
    assert words in " ".join(done.stderr.replace("│", " ").split())
    assert platform.json("keys", "list") == {"keys": []}
