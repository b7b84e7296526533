"""Sessions that are put together piece by piece are those that are put together at once."""

import json
import random
from datetime import UTC, datetime, timedelta

from tests.dbt_project.landings import Row, event, land
from tests.dbt_project.project import Star

START = datetime(2024, 1, 30, 22, tzinfo=UTC)
GAP = timedelta(minutes=30)

SESSIONS = """
    select user_id, started_at, ended_at, action_count
    from marts.fact_sessions inner join personal.dim_users using (user_key) order by 1, 2
"""


def test_late_corrected_and_moved_actions_end_in_the_right_sessions(star: Star) -> None:
    dice = random.Random(7)
    known: dict[int, tuple[int, datetime]] = {}
    for build in range(3):
        arrived: dict[int, tuple[int, datetime]] = {}
        for number in range(40):
            user, minutes = dice.randrange(3), dice.randrange(60 * 72)
            at = START + timedelta(minutes=minutes, milliseconds=dice.choice([0, 100, 900]))
            arrived[build * 100 + number] = (user, at)
        for number in dice.sample(sorted(known), k=len(known) // 5):
            # Moved by minutes, by days, or to another user; some as they were.
            user, at = known[number]
            shift = dice.choice([timedelta(), timedelta(minutes=20), timedelta(days=2), timedelta(days=-40)])
            arrived[number] = (dice.choice([user, (user + 1) % 3]), at + shift)
        known |= arrived
        land(star.warehouse, "github.events", [_event(number, *arrived[number]) for number in sorted(arrived)])
        star.build("--select", "+fact_sessions")
        assert star.rows(SESSIONS) == _sessions(known)

    contents = star.contents()
    star.build_again("--full-refresh", "--select", "+fact_sessions")
    assert star.contents() == contents


def test_a_session_is_found_by_fractions_of_a_second(star: Star) -> None:
    """It lasts 10.8 seconds, counted as 10, and the late action is 1,799.8 seconds after its last one."""
    first = datetime(2024, 1, 1, 0, 0, 0, 100_000, tzinfo=UTC)
    known = {1: (1, first), 2: (1, first + timedelta(seconds=10.8))}
    land(star.warehouse, "github.events", [_event(number, *of) for number, of in known.items()])
    star.build("--select", "+fact_sessions")

    known[3] = (1, first + timedelta(minutes=30, seconds=10.6))
    land(star.warehouse, "github.events", [_event(3, *known[3])])
    star.build("--select", "+fact_sessions")

    assert star.rows(SESSIONS) == _sessions(known)


def test_sessions_are_not_built_past_actions_that_nobody_has_looked_at(star: Star) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC)
    land(star.warehouse, "github.events", [_event(1, 1, at)])
    star.build("--select", "+fact_sessions")
    land(star.warehouse, "github.events", [_event(2, 1, at), _event(3, 2, at)])
    star.build_again("--select", "+fact_user_actions")

    assert star.project.run("run", "--select", "fact_sessions")["fact_sessions"] == "error"
    assert "select +fact_sessions" in str(star.project.messages["fact_sessions"])

    star.build("--select", "+fact_sessions")
    assert star.rows(SESSIONS) == [("1", at, at, 2), ("2", at, at, 1)]


def _event(number: int, user: int, at: datetime) -> Row:
    moment = at.isoformat(timespec="milliseconds")
    return event(number, user=user, created_at=moment, actor=json.dumps({"id": user}))


def _sessions(actions: dict[int, tuple[int, datetime]]) -> list[tuple[str, datetime, datetime, int]]:
    """What half an hour of silence makes of all actions, computed in the plainest way."""
    found: list[list[datetime]] = []
    users: list[int] = []
    for user, at in sorted(actions.values()):
        if users and users[-1] == user and at - found[-1][-1] <= GAP:
            found[-1].append(at)
        else:
            users.append(user)
            found.append([at])
    return [(str(user), times[0], times[-1], len(times)) for user, times in zip(users, found, strict=True)]
