{{ config(materialized='incremental', incremental_strategy='merge', unique_key='date_day') }}

{% set fiscal_start = fiscal_year_start() %}

with days as (
    {{ days(var('first_day'), var('last_day')) }}
),

public_holidays as (
    select
        holiday_date,
        name
    from {{ ref('holidays') }}
    where country = '{{ var('holiday_country', 'US') }}'
),

-- A week belongs to the ISO year that its Thursday is in.
calendar as (
    select
        date_day,
        cast({{ date_trunc('week', 'date_day') }} as date) as week_start_date,
        cast({{ dateadd('day', 3, date_trunc('week', 'date_day')) }} as date) as thursday,
        cast({{ iso_weekday('date_day') }} as integer) as iso_weekday_number,
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(extract(day from date_day) as integer) as day_number
    from days
),

numbered as (
    select
        *,
        cast(mod(month_number + 12 - {{ fiscal_start }}, 12) + 1 as integer) as fiscal_month_number
    from calendar
),

calendar_days as (
    select
        numbered.year_number * 10000 + numbered.month_number * 100 + numbered.day_number as date_key,
        numbered.date_day,
        numbered.week_start_date,
        cast({{ date_trunc('month', 'numbered.date_day') }} as date) as month_start_date,
        cast({{ last_day('numbered.date_day', 'month') }} as date) as month_end_date,
        cast({{ date_trunc('quarter', 'numbered.date_day') }} as date) as quarter_start_date,
        cast({{ date_trunc('year', 'numbered.date_day') }} as date) as year_start_date,
        numbered.year_number,
        cast(extract(quarter from numbered.date_day) as integer) as quarter_number,
        numbered.month_number,
        cast(extract(year from numbered.thursday) as integer) as iso_year_number,
        cast(extract(week from numbered.date_day) as integer) as iso_week_number,
        numbered.iso_weekday_number,
        -- It is called by the calendar year it ends in.
        case
            when {{ fiscal_start }} > 1 and numbered.month_number >= {{ fiscal_start }} then numbered.year_number + 1
            else numbered.year_number
        end as fiscal_year_number,
        cast(floor((numbered.fiscal_month_number + 2) / 3.0) as integer) as fiscal_quarter_number,
        numbered.fiscal_month_number,
        {{ month_name('numbered.date_day') }} as month_name,
        {{ weekday_name('numbered.date_day') }} as weekday_name,
        public_holidays.name as holiday_name,
        numbered.iso_weekday_number >= 6 as is_weekend,
        public_holidays.name is not null as is_holiday,
        numbered.iso_weekday_number < 6 and public_holidays.name is null as is_business_day
    from numbered
    left join public_holidays on numbered.date_day = public_holidays.holiday_date
),

final as (
    {{ changed_rows('calendar_days') }}
)

select * from final
