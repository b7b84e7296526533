-- No price list is landed, so a plan is what accounts and subscriptions call one.
with stated as (
    select plan_id from {{ ref('int_subscriptions_deduplicated') }}

    union

    select plan_id from {{ ref('stg_saas__accounts') }}

    union

    select '(unknown)' as plan_id
),

final as (
    select
        {{ surrogate_key(['plan_id']) }} as plan_key,
        plan_id,
        plan_id as name
    from stated
    where plan_id is not null
)

select * from final
