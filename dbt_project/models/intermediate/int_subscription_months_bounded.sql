-- "Until today" would make the same data give other numbers tomorrow, so the history ends with the last day that the
-- data itself speaks of. A day after the latest landing is a mistake or a plan, and does not prolong it.
with stated as (
    select
        min(start_date) as first_date,
        max(start_date) as last_date
    from {{ ref('fact_subscriptions') }}

    union all

    select
        null as first_date,
        max(usage_date) as last_date
    from {{ ref('fact_feature_usage') }}

    union all

    select
        null as first_date,
        max(submitted_date) as last_date
    from {{ ref('fact_support_tickets') }}

    union all

    select
        null as first_date,
        max(churn_date) as last_date
    from {{ ref('fact_churn_events') }}
),

landings as (
    select max({{ utc_date('landed_at') }}) as last_date
    from {{ ref('stg_ops__batches') }}
    where source_name = 'saas' and status = 'admitted'
),

history as (
    select
        min(stated.first_date) as first_date,
        least(max(stated.last_date), max(landings.last_date)) as last_date
    from stated
    cross join landings
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
