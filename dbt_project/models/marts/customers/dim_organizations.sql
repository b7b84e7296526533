{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='organization_id',
) }}

-- An organization that a fact names before its account has arrived is a member already, so that its rows are its own
-- from the start; the account fills in the attributes when it comes. Members stay, only changed ones are written.
with accounts as (
    select * from {{ ref('stg_saas__accounts') }}
    where account_id is not null
),

named as (
    select organization_id from {{ ref('int_subscriptions_deduplicated') }}

    union

    select account_id as organization_id from {{ ref('stg_saas__support_tickets') }}

    union

    select account_id as organization_id from {{ ref('stg_saas__churn_events') }}

    union

    select organization_id from {{ ref('dim_users') }}

    union

    select account_id as organization_id from accounts

    union

    select '(unknown)' as organization_id
),

members as (
    select
        {{ surrogate_key(['named.organization_id']) }} as organization_key,
        named.organization_id,
        coalesce(accounts.account_name, named.organization_id) as name,
        accounts.industry,
        accounts.country,
        accounts.signup_date,
        accounts.referral_source,
        accounts.plan_id as account_plan_id,
        accounts.seats,
        accounts.is_trial,
        accounts.is_churned,
        accounts.account_id is not null as has_account
    from named
    left join accounts on named.organization_id = accounts.account_id
    where named.organization_id is not null
),

final as (
    select * from members
    {% if is_incremental() %}
        except
        select
            organization_key,
            organization_id,
            name,
            industry,
            country,
            signup_date,
            referral_source,
            account_plan_id,
            seats,
            is_trial,
            is_churned,
            has_account
        from {{ this }}
    {% endif %}
)

select * from final
