-- The latest version decides. A subscription that its source no longer has stays here as it was last, so that what was
-- used and billed under it stays its organization's and on its plan; fact_subscriptions leaves it out.
with versions as (
    select
        *,
        row_number() over (partition by subscription_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_saas__subscriptions') }}
),

stated as (
    select
        *,
        row_number() over (partition by subscription_id order by version_rank) as stated_rank
    from versions
    where is_deleted is not true
),

final as (
    select
        subscription_id,
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
        version_rank > 1 as is_deleted,
        admission_seq,
        coalesce(account_id, '(unknown)') as organization_id,
        coalesce(plan_id, '(unknown)') as plan_id
    from stated
    where stated_rank = 1
)

select * from final
