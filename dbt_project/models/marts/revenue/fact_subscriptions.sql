with subscriptions as (
    select * from {{ ref('int_subscriptions_deduplicated') }}
),

final as (
    select
        {{ surrogate_key(['subscription_id']) }} as subscription_key,
        subscription_id,
        {{ surrogate_key(['organization_id']) }} as organization_key,
        organization_id,
        {{ surrogate_key(['plan_id']) }} as plan_key,
        plan_id,
        start_date,
        end_date,
        seats,
        mrr_usd,
        arr_usd,
        billing_frequency,
        is_trial,
        is_upgraded,
        is_downgraded,
        is_churned,
        is_auto_renewed,
        assigned_admission_seq,
        admission_seq
    from subscriptions
)

select * from final
