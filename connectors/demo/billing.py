"""The demo rows about money that comes again and again: subscriptions and their invoices."""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count, islice, takewhile

from connectors.demo.company import LAST_DAY, PLANS, SEAT_PRICES_USD, Account, Dice, made_id
from connectors.demo.fields import IMPOSSIBLE_DAY, NO_NUMBER, Row, as_amount, as_day, as_flag, rules_to_break

SUBSCRIPTIONS = 1_500
DAYS_TO_PAY = 30

# Of what a customer of that country is billed, the percentage that goes to the state.
TAX_PERCENT = {"US": 0, "UK": 20, "IN": 18, "AU": 10, "DE": 19, "CA": 5, "FR": 20}


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription without a defect."""

    subscription_id: str
    account: Account
    started: date
    ended: date | None
    mrr_usd: int
    months_billed: int

    @property
    def last_day(self) -> date:
        """The last day anything is known of it."""
        return self.ended or LAST_DAY

    def billed_on(self) -> list[date]:
        """The days an invoice is issued: every month or year from the start on while it runs; none for a trial."""
        if self.mrr_usd == 0:
            return []
        days = (_months_later(self.started, number * self.months_billed) for number in count())
        return list(takewhile(lambda day: day <= LAST_DAY and (self.ended is None or day < self.ended), days))


class Subscriptions:
    """What customers subscribe to."""

    def __init__(self, scale: int, seed: int, accounts: list[Account]) -> None:
        self._seed = seed
        self._accounts = accounts
        self._made: list[Subscription] = []
        self.count = SUBSCRIPTIONS * scale

    def made(self) -> list[Subscription]:
        """The subscriptions that other tables speak of."""
        if not self._made:
            self._made = [subscription for subscription, _ in self._all()]
        return self._made

    def clean(self) -> Iterator[Row]:
        """One row per subscription; each customer has its first from the day it signed up."""
        return (row for _, row in self._all())

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Subscriptions with an amount, a start or an end that cannot be."""
        dice = Dice(self._seed, "bad subscriptions")
        for number, rule in enumerate(rules_to_break(planted)):
            account = dice.pick(self._accounts)
            _, row = self._one(made_id("S", self._seed, self.count + number), account, date(2024, 6, 3), None, dice)
            match rule:
                case "mrr_amount_is_an_amount":
                    row[6] = "-49" if number % 3 == 0 else NO_NUMBER
                case "start_date_is_a_date":
                    row[2] = IMPOSSIBLE_DAY
                case "end_not_before_start":
                    row[3], row[11] = "02-06-2024", "TRUE"
            yield row

    def _all(self) -> Iterator[tuple[Subscription, Row]]:
        dice = Dice(self._seed, "subscriptions")
        first = len(self._accounts)
        for number in range(self.count):
            account = self._accounts[number] if number < first else dice.pick(self._accounts)
            started = account.signed_up if number < first else dice.day(account.signed_up, LAST_DAY)
            ended = dice.day(started + timedelta(days=1), LAST_DAY) if dice.often(12) and started < LAST_DAY else None
            yield self._one(made_id("S", self._seed, number), account, started, ended, dice)

    def _one(
        self, subscription_id: str, account: Account, started: date, ended: date | None, dice: Dice
    ) -> tuple[Subscription, Row]:
        plan, seats, trial = dice.pick(PLANS), 1 + dice.below(60), dice.often(15)
        mrr = 0 if trial else seats * SEAT_PRICES_USD[plan]
        flags = [as_flag(trial), as_flag(dice.often(10)), as_flag(dice.often(4)), as_flag(ended is not None)]
        rhythm = dice.pick(("monthly", "annual"))
        made = Subscription(subscription_id, account, started, ended, mrr, 1 if rhythm == "monthly" else 12)
        return made, [
            subscription_id, account.account_id, as_day(started), as_day(ended), plan, str(seats), str(mrr),
            str(mrr * 12), *flags, rhythm, as_flag(dice.often(80)),
        ]  # fmt: skip


class Invoices:
    """What customers were billed: every subscription that is no trial, in its own rhythm."""

    def __init__(self, seed: int, subscriptions: Subscriptions) -> None:
        self._seed = seed
        self._subscriptions = subscriptions

    @property
    def count(self) -> int:
        """How many invoices the subscriptions give."""
        return sum(len(subscription.billed_on()) for subscription in self._subscriptions.made())

    def clean(self) -> Iterator[Row]:
        """One row per invoice, subscription by subscription."""
        dice = Dice(self._seed, "invoices")
        numbers = count()
        for subscription in self._subscriptions.made():
            for issued in subscription.billed_on():
                yield self._row(made_id("I", self._seed, next(numbers)), subscription, issued, dice)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Invoices that cannot be right as they are, and repeated ones."""
        dice = Dice(self._seed, "bad invoices")
        first = self.count
        billed = [subscription for subscription in self._subscriptions.made() if subscription.mrr_usd]
        copies = list(islice(self.clean(), planted["identical_duplicates"]))
        for number, rule in enumerate(rules_to_break(planted)):
            subscription = dice.pick(billed)
            row = self._row(made_id("I", self._seed, first + number), subscription, subscription.started, dice)
            match rule:
                case "invoice_id_present":
                    row[0] = ""
                case "due_not_before_issued":
                    row[4] = as_day(subscription.started - timedelta(days=1))
                case "currency_is_usd":
                    row[7] = "EUR"
                case "tax_usd_is_an_amount":
                    row[9] = NO_NUMBER
                case "total_is_subtotal_and_tax":
                    row[10] = as_amount(subscription.mrr_usd * subscription.months_billed * 200 + 1)
                case "identical_duplicates":
                    row = copies.pop()
            yield row

    def _row(self, invoice_id: str, subscription: Subscription, issued: date, dice: Dice) -> Row:
        due = issued + timedelta(days=DAYS_TO_PAY)
        status, paid = _settled(issued, due, dice)
        subtotal_usd = subscription.mrr_usd * subscription.months_billed
        tax_cents = subtotal_usd * TAX_PERCENT[subscription.account.country]
        return [
            invoice_id, subscription.account.account_id, subscription.subscription_id, as_day(issued), as_day(due),
            as_day(paid), status, "USD", as_amount(subtotal_usd * 100), as_amount(tax_cents),
            as_amount(subtotal_usd * 100 + tax_cents),
        ]  # fmt: skip


def _settled(issued: date, due: date, dice: Dice) -> tuple[str, date | None]:
    """What has become of an invoice by the last day, and when it was paid."""
    if dice.often(2):
        return "void", None
    paid = issued + timedelta(days=1 + dice.below(45))
    if dice.often(96) and paid <= LAST_DAY:
        return "paid", paid
    return ("overdue" if due < LAST_DAY else "open"), None


def _months_later(day: date, months: int) -> date:
    """The same day of a later month, or its last one."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))
