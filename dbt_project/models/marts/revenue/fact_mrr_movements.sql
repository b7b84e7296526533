-- The months are dense, zeros included, so the row before is the month before, and what left is a row too.
with months as (
    select
        organization_id,
        month_start_date,
        max(organization_key) as organization_key,
        sum(mrr_usd) as closing_mrr_usd,
        max(admission_seq) as admission_seq
    from {{ ref('fact_organization_months') }}
    group by organization_id, month_start_date
),

compared as (
    select
        *,
        coalesce(
            lag(closing_mrr_usd) over (partition by organization_id order by month_start_date), 0
        ) as opening_mrr_usd,
        coalesce(
            max(closing_mrr_usd) over (
                partition by organization_id
                order by month_start_date
                rows between unbounded preceding and 1 preceding
            ),
            0
        ) as highest_mrr_before_usd
    from months
),

final as (
    select
        organization_id,
        month_start_date,
        organization_key,
        case
            when opening_mrr_usd <= 0 and closing_mrr_usd > 0 and highest_mrr_before_usd > 0 then 'reactivation'
            when opening_mrr_usd <= 0 and closing_mrr_usd > 0 then 'new'
            when opening_mrr_usd > 0 and closing_mrr_usd <= 0 then 'churn'
            when closing_mrr_usd > opening_mrr_usd then 'expansion'
            else 'contraction'
        end as movement_type,
        cast(opening_mrr_usd as numeric(18, 2)) as opening_mrr_usd,
        cast(closing_mrr_usd - opening_mrr_usd as numeric(18, 2)) as movement_usd,
        cast(closing_mrr_usd as numeric(18, 2)) as closing_mrr_usd,
        admission_seq
    from compared
    where closing_mrr_usd != opening_mrr_usd
)

select * from final
