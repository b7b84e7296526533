"""The demo rows about what is being sold to the customers: opportunities."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from connectors.demo.company import LAST_DAY, SEAT_PRICES_USD, Account, Dice, made_id
from connectors.demo.fields import NO_NUMBER, Row, as_day, as_flag, rules_to_break

OPPORTUNITIES = 1_000
SELLERS = 12

# How likely a deal is that has come so far.
_OPEN_STAGES = {"prospecting": "0.1", "qualification": "0.25", "proposal": "0.5", "negotiation": "0.75"}
# Of a hundred decided deals, how many are won.
_WON = {"expansion": 55, "renewal": 85}


class Opportunities:
    """Deals with customers: each one's first, which was won when it signed up, then expansions and renewals."""

    def __init__(self, scale: int, seed: int, accounts: list[Account]) -> None:
        self._seed = seed
        self._accounts = accounts
        self.count = OPPORTUNITIES * scale

    def clean(self) -> Iterator[Row]:
        """One row per opportunity as it stands at the last day."""
        dice = Dice(self._seed, "opportunities")
        for number in range(self.count):
            opportunity_id = made_id("O", self._seed, number)
            if number < len(self._accounts):
                account = self._accounts[number]
                created = account.signed_up - timedelta(days=5 + dice.below(80))
                yield self._row(opportunity_id, account, "new", created, account.signed_up, dice)
            else:
                yield self._later(opportunity_id, dice)

    def defective(self, planted: Mapping[str, int]) -> Iterator[Row]:
        """Opportunities whose values cannot be, or contradict each other."""
        dice = Dice(self._seed, "bad opportunities")
        for number, rule in enumerate(rules_to_break(planted)):
            opportunity_id = made_id("O", self._seed, self.count + number)
            account, created = dice.pick(self._accounts), date(2024, 6, 3)
            row = self._row(opportunity_id, account, "expansion", created, created + timedelta(days=30), dice)
            match rule:
                case "opportunity_id_present":
                    row[0] = ""
                case "amount_usd_is_an_amount":
                    row[4] = NO_NUMBER
                case "probability_from_0_to_1":
                    row[5] = "75"
                case "closed_not_before_created":
                    row[7] = "02-06-2024"
                case "closed_has_its_day":
                    row[7] = ""
                case "won_is_closed":
                    row[7:10] = ["", "TRUE", "FALSE"]
            yield row

    def _later(self, opportunity_id: str, dice: Dice) -> Row:
        account, kind = dice.pick(self._accounts), dice.pick(("expansion", "expansion", "renewal"))
        created = dice.day(account.signed_up, LAST_DAY)
        closed = created + timedelta(days=10 + dice.below(90))
        return self._row(opportunity_id, account, kind, created, closed, dice)

    def _row(self, opportunity_id: str, account: Account, kind: str, created: date, closed: date, dice: Dice) -> Row:
        seats = 1 + dice.below(20) if kind == "expansion" else account.seats
        is_closed = closed <= LAST_DAY
        is_won = is_closed and (kind == "new" or dice.often(_WON[kind]))
        if is_closed:
            stage, probability = ("closed_won", "1") if is_won else ("closed_lost", "0")
        else:
            stage = dice.pick(tuple(_OPEN_STAGES))
            probability = _OPEN_STAGES[stage]
        return [
            opportunity_id, account.account_id, kind, stage, str(seats * SEAT_PRICES_USD[account.plan] * 12),
            probability, as_day(created), as_day(closed) if is_closed else "", as_flag(is_won), as_flag(is_closed),
            f"seller-{1 + dice.below(SELLERS)}",
        ]  # fmt: skip
