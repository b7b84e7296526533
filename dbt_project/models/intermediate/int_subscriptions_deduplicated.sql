-- The latest version decides. Facts that stand on a subscription's organization and plan need the batch these came
-- with, not the batch of the latest version: a subscription landed again unchanged must not touch them.
with versions as (
    select
        *,
        row_number() over (
            partition by subscription_id order by admission_seq desc, _row_number desc
        ) as version_rank,
        min(admission_seq) over (
            partition by subscription_id, account_id, plan_id
        ) as assigned_admission_seq
    from {{ ref('stg_saas__subscriptions') }}
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
        assigned_admission_seq,
        admission_seq,
        coalesce(account_id, '(unknown)') as organization_id,
        coalesce(plan_id, '(unknown)') as plan_id
    from versions
    where version_rank = 1
)

select * from final
