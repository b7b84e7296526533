{{ config(materialized='incremental', incremental_strategy='merge', unique_key='plan_id') }}

-- No price list is landed, so a plan is what accounts and subscriptions call one, or ever called one: members stay.
with stated as (
    select plan_id from {{ ref('stg_saas__subscriptions') }}

    union

    select plan_id from {{ ref('stg_saas__account_versions') }}

    union

    select '(unknown)' as plan_id
),

members as (
    select
        {{ surrogate_key(['plan_id']) }} as plan_key,
        plan_id,
        plan_id as name
    from stated
    where plan_id is not null
),

final as (
    {{ changed_rows('members') }}
)

select * from final
