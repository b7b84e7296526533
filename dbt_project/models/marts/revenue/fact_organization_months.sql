-- The months without an active subscription are rows too: "the last month counts" is only right for an organization
-- that has left when its last month is there and says zero.
with subscriptions as (
    select * from {{ ref('fact_subscriptions') }}
),

months as (
    select * from {{ ref('int_subscription_months_bounded') }}
),

holders as (
    select
        organization_id,
        plan_key,
        plan_id,
        min(start_date) as first_date,
        max(admission_seq) as admission_seq
    from subscriptions
    group by organization_id, plan_key, plan_id
),

active as (
    select
        organization_id,
        plan_id,
        month_start_date,
        count(*) as active_subscriptions,
        sum(mrr_usd) as mrr_usd,
        sum(seats) as seats
    from {{ ref('fact_subscription_months') }}
    group by organization_id, plan_id, month_start_date
),

final as (
    select
        holders.organization_id,
        holders.plan_id,
        months.month_start_date,
        {{ organization_key('holders.organization_id') }} as organization_key,
        holders.plan_key,
        coalesce(active.active_subscriptions, 0) as active_subscriptions,
        cast(coalesce(active.seats, 0) as {{ type_bigint() }}) as seats,
        cast(coalesce(active.mrr_usd, 0) as numeric(18, 2)) as mrr_usd,
        holders.admission_seq
    from holders
    inner join months
        on months.month_start_date >= cast({{ date_trunc('month', 'holders.first_date') }} as date)
    left join active
        on
            holders.organization_id = active.organization_id
            and holders.plan_id = active.plan_id
            and months.month_start_date = active.month_start_date
    {{ join_organization_version('holders.organization_id', 'months.month_end_date') }}
)

select * from final
