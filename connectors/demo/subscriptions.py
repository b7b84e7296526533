"""The demo rows of `saas_subscriptions`: accounts, subscriptions, feature usage, support tickets, churn events."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice

from connectors.demo.company import (
    LAST_DAY,
    PLANS,
    SEAT_PRICES_USD,
    Account,
    Dice,
    accounts,
    made_id,
    spread,
)
from connectors.demo.defects import planted_defects

SUBSCRIPTIONS, USAGES, TICKETS, CHURN_EVENTS = 1_500, 12_000, 800, 250
FEATURES = 40

HEADERS = {
    "accounts": "account_id,account_name,industry,country,signup_date,referral_source,plan_tier,seats,is_trial,"
    "churn_flag",
    "subscriptions": "subscription_id,account_id,start_date,end_date,plan_tier,seats,mrr_amount,arr_amount,is_trial,"
    "upgrade_flag,downgrade_flag,churn_flag,billing_frequency,auto_renew_flag",
    "feature_usage": "usage_id,subscription_id,usage_date,feature_name,usage_count,usage_duration_secs,error_count,"
    "is_beta_feature",
    "support_tickets": "ticket_id,account_id,submitted_at,closed_at,resolution_time_hours,priority,"
    "first_response_time_minutes,satisfaction_score,escalation_flag",
    "churn_events": "churn_event_id,account_id,churn_date,reason_code,refund_amount_usd,preceding_upgrade_flag,"
    "preceding_downgrade_flag,is_reactivation,feedback_text",
}

_IMPOSSIBLE_DAY = "31-02-2024"
_REASONS = ("pricing", "support", "budget", "features", "competitor", "unknown")
_FEEDBACK = ("", "", "too expensive", "missing features", "switched to competitor")
_REFERRALS = ("organic", "ads", "partner", "event", "other")

Row = list[str]


@dataclass(frozen=True)
class _Subscription:
    subscription_id: str
    account_id: str
    started: date
    ended: date | None

    @property
    def last_day(self) -> date:
        return self.ended or LAST_DAY


class SubscriptionCompany:
    """Makes the rows of each table; the same for the same scale and seed."""

    def __init__(self, scale: int, seed: int) -> None:
        self._scale = scale
        self._seed = seed
        self._accounts = accounts(scale, seed)
        self._subscriptions: list[_Subscription] = []
        self._planted = planted_defects("saas_subscriptions", scale)

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of `table`, defects among them, fields as text."""
        clean, defective, count = {
            "accounts": (self._account_rows, self._bad_accounts, len(self._accounts)),
            "subscriptions": (self._subscription_rows, self._bad_subscriptions, SUBSCRIPTIONS * self._scale),
            "feature_usage": (self._usage_rows, self._bad_usages, USAGES * self._scale),
            "support_tickets": (self._ticket_rows, self._bad_tickets, TICKETS * self._scale),
            "churn_events": (self._churn_rows, self._bad_churn_events, CHURN_EVENTS * self._scale),
        }[table]
        if table == "feature_usage" and not self._subscriptions:
            list(self._subscription_rows(SUBSCRIPTIONS * self._scale))
        yield from spread(clean(count), count, list(defective(self._planted[table], count)))

    def _account_rows(self, count: int) -> Iterator[Row]:
        for account in self._accounts[:count]:
            yield self._account_row(account)

    def _account_row(self, account: Account) -> Row:
        dice = Dice(self._seed, account.account_id)
        return [
            account.account_id, account.name, account.industry, account.country, _day(account.signed_up),
            dice.pick(_REFERRALS), account.plan, str(account.seats), _flag(dice.often(15)), _flag(dice.often(20)),
        ]  # fmt: skip

    def _bad_accounts(self, planted: dict[str, int], count: int) -> Iterator[Row]:
        for number in range(planted["signup_date_is_a_date"]):
            account_id = made_id("A", self._seed, count + number)
            yield [account_id, f"Lost Signup {number}", "EdTech", "US", _IMPOSSIBLE_DAY, "other", "Pro", "5", "FALSE",
                   "FALSE"]  # fmt: skip
        for account in self._accounts[: planted["identical_duplicates"]]:
            yield self._account_row(account)

    def _subscription_rows(self, count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "subscriptions")
        made = []
        for number in range(count):
            account = self._accounts[number] if number < len(self._accounts) else dice.pick(self._accounts)
            started = account.signed_up if number < len(self._accounts) else dice.day(account.signed_up, LAST_DAY)
            ended = dice.day(started + timedelta(days=1), LAST_DAY) if dice.often(12) and started < LAST_DAY else None
            subscription = _Subscription(made_id("S", self._seed, number), account.account_id, started, ended)
            made.append(subscription)
            yield self._subscription_row(subscription, dice)
        self._subscriptions = made

    def _subscription_row(self, subscription: _Subscription, dice: Dice) -> Row:
        plan, seats, trial = dice.pick(PLANS), 1 + dice.below(60), dice.often(15)
        mrr = 0 if trial else seats * SEAT_PRICES_USD[plan]
        return [
            subscription.subscription_id, subscription.account_id, _day(subscription.started),
            _day(subscription.ended), plan, str(seats), str(mrr), str(mrr * 12), _flag(trial), _flag(dice.often(10)),
            _flag(dice.often(4)), _flag(subscription.ended is not None), dice.pick(("monthly", "annual")),
            _flag(dice.often(80)),
        ]  # fmt: skip

    def _bad_subscriptions(self, planted: dict[str, int], count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "bad subscriptions")
        bad = [rule for rule, rows in planted.items() for _ in range(rows)]
        for number, rule in enumerate(bad):
            made = _Subscription(
                made_id("S", self._seed, count + number), dice.pick(self._accounts).account_id, date(2024, 6, 3), None
            )
            row = self._subscription_row(made, dice)
            match rule:
                case "mrr_amount_is_an_amount":
                    row[6] = "-49" if number % 3 == 0 else "n/a"
                case "start_date_is_a_date":
                    row[2] = _IMPOSSIBLE_DAY
                case "end_not_before_start":
                    row[3], row[11] = "02-06-2024", "TRUE"
            yield row

    def _usage_rows(self, count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "usages")
        for number in range(count):
            yield self._usage_row(made_id("U", self._seed, number), dice)

    def _usage_row(self, usage_id: str, dice: Dice) -> Row:
        subscription = dice.pick(self._subscriptions)
        uses = dice.below(21)
        return [
            usage_id, subscription.subscription_id, _day(dice.day(subscription.started, subscription.last_day)),
            f"feature_{1 + dice.below(FEATURES)}", str(uses), str(uses * (60 + dice.below(480))),
            str(dice.below(8) if dice.often(25) else 0), _flag(dice.often(10)),
        ]  # fmt: skip

    def _bad_usages(self, planted: dict[str, int], count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "bad usages")
        bad = [rule for rule, rows in planted.items() for _ in range(rows)]
        twice: Row = []
        copies = list(islice(self._usage_rows(count), planted["identical_duplicates"]))
        for number, rule in enumerate(bad):
            row = self._usage_row(made_id("U", self._seed, count + number), dice)
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
                    row[2] = _IMPOSSIBLE_DAY
                case "unreadable_line":
                    row = row[:3]
                case "identical_duplicates":
                    row = copies.pop()
            yield row

    def _ticket_rows(self, count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "tickets")
        for number in range(count):
            yield self._ticket_row(made_id("T", self._seed, number), dice)

    def _ticket_row(self, ticket_id: str, dice: Dice) -> Row:
        account = dice.pick(self._accounts)
        submitted, hours = dice.day(account.signed_up, LAST_DAY), 1 + dice.below(72)
        closed = submitted + timedelta(days=hours // 24)
        return [
            ticket_id, account.account_id, _day(submitted), f"{_day(closed)} {hours % 24:02d}:00", str(hours),
            dice.pick(("low", "medium", "high", "urgent")), str(1 + dice.below(180)),
            str(3 + dice.below(3)) if dice.often(60) else "", _flag(dice.often(5)),
        ]  # fmt: skip

    def _bad_tickets(self, planted: dict[str, int], count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "bad tickets")
        bad = [rule for rule, rows in planted.items() for _ in range(rows)]
        for number, rule in enumerate(bad):
            row = self._ticket_row(made_id("T", self._seed, count + number), dice)
            if rule == "satisfaction_score_from_1_to_5":
                row[7] = "11"
            else:
                row[6] = "-15"
            yield row

    def _churn_rows(self, count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "churn events")
        for number in range(count):
            yield self._churn_row(made_id("C", self._seed, number), dice)

    def _churn_row(self, churn_event_id: str, dice: Dice) -> Row:
        account = dice.pick(self._accounts)
        cents = dice.below(9_000) if dice.often(25) else 0
        return [
            churn_event_id, account.account_id, _day(dice.day(account.signed_up, LAST_DAY)), dice.pick(_REASONS),
            f"{cents // 100}.{cents % 100:02d}" if cents else "0", _flag(dice.often(20)), _flag(dice.often(9)),
            _flag(dice.often(10)), dice.pick(_FEEDBACK),
        ]  # fmt: skip

    def _bad_churn_events(self, planted: dict[str, int], count: int) -> Iterator[Row]:
        dice = Dice(self._seed, "bad churn events")
        bad = [rule for rule, rows in planted.items() for _ in range(rows)]
        for number, rule in enumerate(bad):
            row = self._churn_row(made_id("C", self._seed, count + number), dice)
            if rule == "churn_event_id_present":
                row[0] = ""
            else:
                row[4] = "-20.00"
            yield row


def _day(day: date | None) -> str:
    return "" if day is None else f"{day:%d-%m-%Y}"


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"
