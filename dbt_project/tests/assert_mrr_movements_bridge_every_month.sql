-- For every organization, what a month opens with is what the month before closed with, and the movements up to a month
-- add up to what the organization brings in it, to the cent; a month without a movement closes as it opened.
{{ config(
    enabled=configured('saas'),
    meta={'dagster': {'ref': {'name': 'fact_mrr_movements'}}},
) }}

with months as (
    select
        organization_id,
        month_start_date,
        sum(mrr_usd) as mrr_usd
    from {{ ref('fact_organization_months') }}
    group by organization_id, month_start_date
),

bridged as (
    select
        coalesce(months.organization_id, movements.organization_id) as organization_id,
        coalesce(months.month_start_date, movements.month_start_date) as month_start_date,
        months.mrr_usd,
        movements.opening_mrr_usd,
        movements.closing_mrr_usd,
        coalesce(movements.movement_usd, 0) as movement_usd,
        sum(coalesce(movements.movement_usd, 0)) over (
            partition by coalesce(months.organization_id, movements.organization_id)
            order by coalesce(months.month_start_date, movements.month_start_date)
            rows unbounded preceding
        ) as bridged_mrr_usd
    from months
    full outer join {{ ref('fact_mrr_movements') }} as movements
        on
            months.organization_id = movements.organization_id
            and months.month_start_date = movements.month_start_date
)

select *
from bridged
where
    mrr_usd is null
    or bridged_mrr_usd <> mrr_usd
    or opening_mrr_usd <> bridged_mrr_usd - movement_usd
    or closing_mrr_usd <> bridged_mrr_usd
