-- "Until today" would make the same data give other numbers tomorrow, so the history ends with the last day that the
-- data itself speaks of. A day after the latest landing is a mistake or a plan, and does not prolong it.
with landings as (
    select max({{ utc_date('landed_at') }}) as last_date
    from {{ ref('stg_ops__batches') }}
    where source_name = 'saas' and status = 'admitted'
),

stated as (
    select
        min(facts.start_date) as first_date,
        max(case when facts.start_date <= landings.last_date then facts.start_date end) as last_date
    from {{ ref('fact_subscriptions') }} as facts
    cross join landings

    union all

    select
        null as first_date,
        max(case when facts.usage_date <= landings.last_date then facts.usage_date end) as last_date
    from {{ ref('fact_feature_usage') }} as facts
    cross join landings

    union all

    select
        null as first_date,
        max(case when facts.submitted_date <= landings.last_date then facts.submitted_date end) as last_date
    from {{ ref('fact_support_tickets') }} as facts
    cross join landings

    union all

    select
        null as first_date,
        max(case when facts.churn_date <= landings.last_date then facts.churn_date end) as last_date
    from {{ ref('fact_churn_events') }} as facts
    cross join landings
),

history as (
    select
        min(first_date) as first_date,
        max(last_date) as last_date
    from stated
),

final as (
    select distinct
        dim_dates.month_start_date,
        dim_dates.month_end_date
    from {{ ref('dim_dates') }} as dim_dates
    inner join history
        on
            dim_dates.month_end_date >= history.first_date
            and dim_dates.month_start_date <= history.last_date
)

select * from final
