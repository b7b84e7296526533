-- The dense months say the same as the months of the subscriptions themselves, to the cent.
{{ config(meta={'dagster': {'ref': {'name': 'fact_organization_months'}}}) }}

with dense as (
    select
        month_start_date,
        sum(mrr_usd) as mrr_usd,
        sum(active_subscriptions) as active_subscriptions
    from {{ ref('fact_organization_months') }}
    group by month_start_date
),

strict as (
    select
        month_start_date,
        sum(mrr_usd) as mrr_usd,
        count(*) as active_subscriptions
    from {{ ref('fact_subscription_months') }}
    group by month_start_date
)

select
    coalesce(dense.month_start_date, strict.month_start_date) as month_start_date,
    dense.mrr_usd,
    strict.mrr_usd as expected_mrr_usd,
    dense.active_subscriptions,
    strict.active_subscriptions as expected_active_subscriptions
from dense
full outer join strict on dense.month_start_date = strict.month_start_date
where
    coalesce(dense.mrr_usd, 0) != coalesce(strict.mrr_usd, 0)
    or coalesce(dense.active_subscriptions, 0) != coalesce(strict.active_subscriptions, 0)
