"""The demo rows about the product: which features were used, and the dashboards customers made."""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta
from itertools import islice

from connectors.demo.billing import Subscriptions
from connectors.demo.company import LAST_DAY, Account, Dice, made_id, user_of
from connectors.demo.fields import IMPOSSIBLE_DAY, Row, as_day, as_flag, as_moment, rules_to_break

USAGES, DASHBOARDS = 12_000, 900
FEATURES = 40

_RHYTHMS = ("Daily", "Weekly", "Monthly", "Quarterly")
_SUBJECTS = ("revenue", "sign-ups", "usage", "errors", "support", "churn", "costs", "targets")


class FeatureUsage:
    """How often and how long subscriptions used features."""

    def __init__(self, scale: int, seed: int, subscriptions: Subscriptions) -> None:
        self._seed = seed
        self._subscriptions = subscriptions
        self.count = USAGES * scale

    def clean(self) -> Iterator[Row]:
        """One row per subscription, feature and day of use."""
        dice = Dice(self._seed, "usages")
        for number in range(self.count):
            yield self._row(made_id("U", self._seed, number), dice)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Usages that contradict each other, have values that are none, or are cut short; and repeated ones."""
        dice = Dice(self._seed, "bad usages")
        twice: Row = []
        copies = list(islice(self.clean(), planted["identical_duplicates"]))
        for number, rule in enumerate(rules_to_break(planted)):
            row = self._row(made_id("U", self._seed, self.count + number), dice)
            match rule:
                case "unique_usage_id":
                    # The second row of a pair has the id of the first and surely another count.
                    if number % 2:
                        row = [twice[0], *row[1:4], str(int(twice[4]) + 1), *row[5:]]
                    twice = row
                case "usage_id_present":
                    row[0] = ""
                case "usage_count_is_a_count":
                    row[4] = "many"
                case "usage_date_is_a_date":
                    row[2] = IMPOSSIBLE_DAY
                case "unreadable_line":
                    row = row[:3]
                case "identical_duplicates":
                    row = copies.pop()
            yield row

    def _row(self, usage_id: str, dice: Dice) -> Row:
        subscription = dice.pick(self._subscriptions.made())
        uses = dice.below(21)
        return [
            usage_id, subscription.subscription_id, as_day(dice.day(subscription.started, subscription.last_day)),
            f"feature_{1 + dice.below(FEATURES)}", str(uses), str(uses * (60 + dice.below(480))),
            str(dice.below(8) if dice.often(25) else 0), as_flag(dice.often(10)),
        ]  # fmt: skip


class Dashboards:
    """The dashboards that customers' people made: a few for each customer, none for some."""

    def __init__(self, scale: int, seed: int, accounts: list[Account]) -> None:
        self._seed = seed
        self._accounts = accounts
        self.count = DASHBOARDS * scale

    def clean(self) -> Iterator[Row]:
        """One row per dashboard."""
        dice = Dice(self._seed, "dashboards")
        for number in range(self.count):
            yield self._row(made_id("D", self._seed, number), dice)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Dashboards without an id, with half a widget or changed before they were made; and repeated ones."""
        dice = Dice(self._seed, "bad dashboards")
        copies = list(islice(self.clean(), planted["identical_duplicates"]))
        for number, rule in enumerate(rules_to_break(planted)):
            row = self._row(made_id("D", self._seed, self.count + number), dice)
            match rule:
                case "dashboard_id_present":
                    row[0] = ""
                case "updated_not_before_created":
                    row[4] = "31-12-2022 12:00"
                case "widget_count_is_a_count":
                    row[6] = "2.5"
                case "identical_duplicates":
                    row = copies.pop()
            yield row

    def _row(self, dashboard_id: str, dice: Dice) -> Row:
        account = dice.pick(self._accounts)
        created = datetime.combine(dice.day(account.signed_up, LAST_DAY), time(8 + dice.below(10), dice.below(60)))
        changed = datetime.combine(dice.day(created.date(), LAST_DAY), created.time())
        return [
            dashboard_id, account.account_id, f"{dice.pick(_RHYTHMS)} {dice.pick(_SUBJECTS)}", as_moment(created),
            as_moment(changed + timedelta(minutes=dice.below(60))), str(user_of(account, dice)),
            str(1 + dice.below(12)), as_flag(dice.often(40)),
        ]  # fmt: skip
