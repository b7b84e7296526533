with subscriptions as (
    select * from {{ ref('fact_subscriptions') }}
),

months as (
    select * from {{ ref('int_subscription_months_bounded') }}
),

final as (
    select
        subscriptions.subscription_id,
        months.month_start_date,
        months.month_end_date,
        subscriptions.subscription_key,
        {{ organization_key('subscriptions.organization_id') }} as organization_key,
        subscriptions.organization_id,
        subscriptions.plan_key,
        subscriptions.plan_id,
        subscriptions.seats,
        subscriptions.is_trial,
        cast(coalesce(subscriptions.mrr_usd, 0) as numeric(18, 2)) as mrr_usd,
        subscriptions.admission_seq
    from subscriptions
    inner join months
        on
            subscriptions.start_date <= months.month_end_date
            and (subscriptions.end_date is null or subscriptions.end_date > months.month_end_date)
    {{ join_organization_version('subscriptions.organization_id', 'months.month_end_date') }}
)

select * from final
