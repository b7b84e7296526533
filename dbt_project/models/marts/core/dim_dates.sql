with days as (
    {{ date_spine('day', "cast('" ~ var('first_day') ~ "' as date)", "cast('" ~ var('last_day') ~ "' as date) + 1") }}
),

calendar as (
    select cast(date_day as date) as date_day
    from days
),

final as (
    select
        cast(to_char(date_day, 'YYYYMMDD') as integer) as date_key,
        date_day,
        cast({{ date_trunc('week', 'date_day') }} as date) as week_start_date,
        cast({{ date_trunc('month', 'date_day') }} as date) as month_start_date,
        cast({{ last_day('date_day', 'month') }} as date) as month_end_date,
        cast({{ date_trunc('quarter', 'date_day') }} as date) as quarter_start_date,
        cast({{ date_trunc('year', 'date_day') }} as date) as year_start_date,
        cast(extract(year from date_day) as integer) as year_number,
        cast(extract(quarter from date_day) as integer) as quarter_number,
        cast(extract(month from date_day) as integer) as month_number,
        cast(extract(week from date_day) as integer) as iso_week_number,
        cast(extract(isodow from date_day) as integer) as iso_weekday_number,
        to_char(date_day, 'FMMonth') as month_name,
        to_char(date_day, 'FMDay') as weekday_name,
        extract(isodow from date_day) >= 6 as is_weekend
    from calendar
)

select * from final
