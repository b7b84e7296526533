-- Every organization and plan has every month from its first to the last one of the history; a missing last month would
-- let an organization that has left keep its revenue.
{{ config(meta={'dagster': {'ref': {'name': 'fact_organization_months'}}}) }}

with holders as (
    select
        organization_id,
        plan_id,
        min(month_start_date) as first_month,
        max(month_start_date) as last_month,
        count(*) as months
    from {{ ref('fact_organization_months') }}
    group by organization_id, plan_id
),

history as (
    select max(month_start_date) as last_month
    from {{ ref('int_subscription_months_bounded') }}
)

select holders.*
from holders
cross join history
where
    holders.last_month != history.last_month
    or holders.months != {{ datediff('holders.first_month', 'holders.last_month', 'month') }} + 1
