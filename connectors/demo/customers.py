"""The demo rows about the customers themselves: accounts, support tickets, churn events."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from connectors.demo.company import LAST_DAY, Account, Dice, made_id
from connectors.demo.fields import IMPOSSIBLE_DAY, Row, as_amount, as_day, as_flag, rules_to_break

TICKETS, CHURN_EVENTS = 800, 250

_REASONS = ("pricing", "support", "budget", "features", "competitor", "unknown")
_FEEDBACK = ("", "", "too expensive", "missing features", "switched to competitor")
_REFERRALS = ("organic", "ads", "partner", "event", "other")


class Accounts:
    """The customers as their accounts state them."""

    def __init__(self, seed: int, accounts: list[Account]) -> None:
        self._seed = seed
        self._accounts = accounts
        self.count = len(accounts)

    def clean(self) -> Iterator[Row]:
        """One row per customer."""
        return map(self._row, self._accounts)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Accounts that nobody else speaks of, and repeated ones."""
        for number in range(planted["signup_date_is_a_date"]):
            account_id = made_id("A", self._seed, self.count + number)
            yield [account_id, f"Lost Signup {number}", "EdTech", "US", IMPOSSIBLE_DAY, "other", "Pro", "5", "FALSE",
                   "FALSE"]  # fmt: skip
        yield from map(self._row, self._accounts[: planted["identical_duplicates"]])

    def _row(self, account: Account) -> Row:
        dice = Dice(self._seed, account.account_id)
        return [
            account.account_id, account.name, account.industry, account.country, as_day(account.signed_up),
            dice.pick(_REFERRALS), account.plan, str(account.seats), as_flag(dice.often(15)), as_flag(dice.often(20)),
        ]  # fmt: skip


class SupportTickets:
    """What customers asked for help with."""

    def __init__(self, scale: int, seed: int, accounts: list[Account]) -> None:
        self._seed = seed
        self._accounts = accounts
        self.count = TICKETS * scale

    def clean(self) -> Iterator[Row]:
        """One row per ticket."""
        dice = Dice(self._seed, "tickets")
        for number in range(self.count):
            yield self._row(made_id("T", self._seed, number), dice)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Tickets with a value outside of its bounds."""
        dice = Dice(self._seed, "bad tickets")
        for number, rule in enumerate(rules_to_break(planted)):
            row = self._row(made_id("T", self._seed, self.count + number), dice)
            if rule == "satisfaction_score_from_1_to_5":
                row[7] = "11"
            else:
                row[6] = "-15"
            yield row

    def _row(self, ticket_id: str, dice: Dice) -> Row:
        account = dice.pick(self._accounts)
        submitted, hours = dice.day(account.signed_up, LAST_DAY), 1 + dice.below(72)
        closed = submitted + timedelta(days=hours // 24)
        return [
            ticket_id, account.account_id, as_day(submitted), f"{as_day(closed)} {hours % 24:02d}:00", str(hours),
            dice.pick(("low", "medium", "high", "urgent")), str(1 + dice.below(180)),
            str(3 + dice.below(3)) if dice.often(60) else "", as_flag(dice.often(5)),
        ]  # fmt: skip


class ChurnEvents:
    """When customers left, why, and what was paid back."""

    def __init__(self, scale: int, seed: int, accounts: list[Account]) -> None:
        self._seed = seed
        self._accounts = accounts
        self.count = CHURN_EVENTS * scale

    def clean(self) -> Iterator[Row]:
        """One row per time a customer left."""
        dice = Dice(self._seed, "churn events")
        for number in range(self.count):
            yield self._row(made_id("C", self._seed, number), dice)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Churn events without an id or with a negative refund."""
        dice = Dice(self._seed, "bad churn events")
        for number, rule in enumerate(rules_to_break(planted)):
            row = self._row(made_id("C", self._seed, self.count + number), dice)
            if rule == "churn_event_id_present":
                row[0] = ""
            else:
                row[4] = "-20.00"
            yield row

    def _row(self, churn_event_id: str, dice: Dice) -> Row:
        account = dice.pick(self._accounts)
        cents = dice.below(9_000) if dice.often(25) else 0
        return [
            churn_event_id, account.account_id, as_day(dice.day(account.signed_up, LAST_DAY)), dice.pick(_REASONS),
            as_amount(cents) if cents else "0", as_flag(dice.often(20)), as_flag(dice.often(9)),
            as_flag(dice.often(10)), dice.pick(_FEEDBACK),
        ]  # fmt: skip
