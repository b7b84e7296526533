"""The calendar: what PostgreSQL itself says of each day, the holidays of a country, and a fiscal year of one's own."""

from datetime import date

import pytest
from dbt_common.exceptions import CompilationError

from tests.dbt_project.project import Star

DIFFERENT = """
    select count(*)
    from marts.dim_dates
    where
        date_key::text <> to_char(date_day, 'YYYYMMDD')
        or (iso_year_number, iso_week_number, iso_weekday_number)
        <> (extract(isoyear from date_day), extract(week from date_day), extract(isodow from date_day))
        or week_start_date <> date_trunc('week', date_day)
        or (month_name, weekday_name) <> (to_char(date_day, 'FMMonth'), to_char(date_day, 'FMDay'))
        or (fiscal_year_number, fiscal_quarter_number, fiscal_month_number)
        <> (year_number, quarter_number, month_number)
        or is_business_day <> (not is_weekend and not is_holiday)
"""


def test_the_calendar_is_the_databases_own_and_knows_the_holidays(star: Star) -> None:
    star.build("--select", "+dim_dates", unit_tests=True)

    assert star.rows(DIFFERENT) == [(0,)]
    assert star.rows("select count(*), min(date_day), max(date_day) from marts.dim_dates") == [
        (21_915, date(1990, 1, 1), date(2049, 12, 31))
    ]
    # Independence Day of 2021 was a Sunday.
    assert star.rows(
        "select date_day, holiday_name, is_business_day from marts.dim_dates"
        " where date_day between '2021-07-03' and '2021-07-06' order by 1"
    ) == [
        (date(2021, 7, 3), None, False),
        (date(2021, 7, 4), "Independence Day", False),
        (date(2021, 7, 5), "Independence Day (observed)", False),
        (date(2021, 7, 6), None, True),
    ]
    assert star.rows("select count(*) from marts.dim_dates where year_number = 2024 and is_business_day") == [(251,)]


def test_another_country_and_fiscal_year(star: Star) -> None:
    star.build("--select", "+dim_dates", "--vars", "{holiday_country: GB, fiscal_year_start_month: 4}")

    assert star.rows("select holiday_name from marts.dim_dates where date_day = '2011-04-25'") == [("Easter Monday",)]
    assert star.rows("select is_holiday from marts.dim_dates where date_day = '2011-07-04'") == [(False,)]
    assert star.rows(
        "select fiscal_year_number, min(date_day), max(date_day), count(distinct fiscal_quarter_number)"
        " from marts.dim_dates where fiscal_year_number between 2023 and 2024 group by 1 order by 1"
    ) == [
        (2023, date(2022, 4, 1), date(2023, 3, 31), 4),
        (2024, date(2023, 4, 1), date(2024, 3, 31), 4),
    ]

    statuses = star.project.run(
        "test", "--select", "assert_holiday_country_is_known", "--vars", "{holiday_country: uk}"
    )
    assert statuses["assert_holiday_country_is_known"] == "fail"
    with pytest.raises(CompilationError, match="fiscal_year_start_month is a month, 1 to 12, not 13"):
        star.project.run("parse", "--vars", "{fiscal_year_start_month: 13}")
