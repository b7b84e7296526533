"""The demo lines of `github_events`: what the customers' people did in three days, one file per hour."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson

from connectors.demo.company import Account, Dice, account_number, accounts, spread, user_of
from connectors.demo.defects import planted_defects

EVENTS = 12_000
HOURS = 72

_START = datetime(2024, 3, 4)  # noqa: DTZ001 - GitHub writes UTC with a Z, which is put there below.
_FIRST_ID = 36_000_000_000
_REPOSITORIES = ("api", "web", "infra", "docs", "mobile", "billing")
_VERBS = ("Fix", "Add", "Remove", "Test", "Rename", "Document")
_NOUNS = ("login", "invoice", "search", "export", "cache", "report")
_TYPES = (
    *("PushEvent",) * 55, *("CreateEvent",) * 10, *("IssueCommentEvent",) * 9, *("WatchEvent",) * 8,
    *("IssuesEvent",) * 5, *("PullRequestEvent",) * 5, *("ForkEvent",) * 3, *("DeleteEvent",) * 2,
    "GollumEvent", "PullRequestReviewCommentEvent", "CommitCommentEvent", "ReleaseEvent", "MemberEvent", "PublicEvent",
)  # fmt: skip


class EventLog:
    """Makes the lines of each hour's file; the same for the same scale and seed."""

    def __init__(self, scale: int, seed: int) -> None:
        self._seed = seed
        self._count = EVENTS * scale
        self._accounts = accounts(scale, seed)
        self._planted = planted_defects("github_events", scale)["events"]

    def file_names(self) -> list[str]:
        """The names of the hourly files, in order."""
        moments = (_START + timedelta(hours=hour) for hour in range(HOURS))
        return [f"{moment:%Y-%m-%d}-{moment.hour}.jsonl.gz" for moment in moments]

    def lines(self, hour: int) -> Iterator[bytes]:
        """The lines of one hour, defects among them, without line ends."""
        first, end = self._count * hour // HOURS, self._count * (hour + 1) // HOURS
        dice = Dice(self._seed, f"events of hour {hour}")
        clean = (self._event(number, _moment(hour, number - first, end - first), dice) for number in range(first, end))
        yield from spread(map(orjson.dumps, clean), end - first, list(self._defective(hour, first)))

    def _event(self, number: int, moment: datetime, dice: Dice) -> dict[str, Any]:
        account = dice.pick(self._accounts)
        user = self._user(account, dice)
        kind = dice.pick(_TYPES)
        name = f"{account.account_id}/{dice.pick(_REPOSITORIES)}"
        event: dict[str, Any] = {
            "id": str(_FIRST_ID + number),
            "type": kind,
            "actor": {**user, "gravatar_id": "", "url": f"https://api.example.com/users/{user['login']}"},
            "repo": {"id": 1000 + account_number(account), "name": name,
                     "url": f"https://api.example.com/repos/{name}"},
            "payload": _payload(kind, number, dice),
            "public": True,
            "created_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }  # fmt: skip
        if dice.often(70):
            login = account.account_id
            event["org"] = {"id": event["repo"]["id"], "login": login, "gravatar_id": "",
                            "url": f"https://api.example.com/orgs/{login}"}  # fmt: skip
        return event

    def _user(self, account: Account, dice: Dice) -> dict[str, Any]:
        number = user_of(account, dice)
        return {"id": number, "login": f"user-{number:x}"}

    def _defective(self, hour: int, first: int) -> Iterator[bytes]:
        dice = Dice(self._seed, f"bad events of hour {hour}")
        bad = [rule for rule, rows in self._planted.items() for _ in range(rows)]
        for number, rule in enumerate(bad):
            if number * HOURS // len(bad) != hour:
                continue
            event = self._event(self._count + number, _moment(hour, 1, 2), dice)
            match rule:
                case "id_present":
                    event["id"] = ""
                case "created_at_is_a_moment":
                    event["created_at"] = "2024-02-30T25:00:00Z"
                case "unreadable_line":
                    yield orjson.dumps(event)[:-40]
                    continue
                case "identical_duplicates":
                    again = Dice(self._seed, f"events of hour {hour}")
                    end = self._count * (hour + 1) // HOURS
                    event = self._event(first, _moment(hour, 0, end - first), again)
            yield orjson.dumps(event)


def _moment(hour: int, place: int, of: int) -> datetime:
    return _START + timedelta(hours=hour, seconds=3600 * place // of)


def _payload(kind: str, number: int, dice: Dice) -> dict[str, Any]:
    title = f"{dice.pick(_VERBS)} {dice.pick(_NOUNS)}"
    match kind:
        case "PushEvent":
            size = 1 + dice.below(4)
            commits = [
                {"sha": f"{number * 16 + place:040x}", "message": title, "distinct": True} for place in range(size)
            ]
            return {
                "push_id": number,
                "size": size,
                "distinct_size": size,
                "ref": "refs/heads/main",
                "commits": commits,
            }
        case "CreateEvent" | "DeleteEvent":
            return {"ref": title.lower().replace(" ", "-"), "ref_type": "branch", "pusher_type": "user"}
        case "IssuesEvent" | "IssueCommentEvent" | "PullRequestEvent" | "PullRequestReviewCommentEvent":
            action = "created" if "Comment" in kind else dice.pick(("opened", "closed"))
            return {"action": action, "number": 1 + dice.below(900), "title": title}
        case "WatchEvent" | "MemberEvent":
            return {"action": "started" if kind == "WatchEvent" else "added"}
        case "ReleaseEvent":
            return {"action": "published", "release": {"tag_name": f"v{dice.below(9)}.{dice.below(20)}"}}
    return {}
