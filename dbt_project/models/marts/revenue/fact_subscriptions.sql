with subscriptions as (
    select * from {{ ref('int_subscriptions_deduplicated') }}
    where is_deleted is not true
),

final as (
    select
        {{ surrogate_key(['subscriptions.subscription_id']) }} as subscription_key,
        subscriptions.subscription_id,
        {{ organization_key('subscriptions.organization_id') }} as organization_key,
        subscriptions.organization_id,
        {{ surrogate_key(['subscriptions.plan_id']) }} as plan_key,
        subscriptions.plan_id,
        subscriptions.start_date,
        subscriptions.end_date,
        subscriptions.seats,
        subscriptions.mrr_usd,
        subscriptions.arr_usd,
        subscriptions.billing_frequency,
        subscriptions.is_trial,
        subscriptions.is_upgraded,
        subscriptions.is_downgraded,
        subscriptions.is_churned,
        subscriptions.is_auto_renewed,
        subscriptions.admission_seq
    from subscriptions
    {{ join_organization_version('subscriptions.organization_id', 'subscriptions.start_date') }}
)

select * from final
