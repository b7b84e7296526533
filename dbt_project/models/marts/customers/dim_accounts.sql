-- An account that an opportunity names before it has arrived is a member already; its attributes come with it.
with accounts as (
    select * from {{ ref('stg_saas__accounts') }}
    where account_id is not null
),

named as (
    select account_id from accounts

    union

    select account_id from {{ ref('stg_saas__opportunities') }}

    union

    select '(unknown)' as account_id
),

final as (
    select
        {{ surrogate_key(['named.account_id']) }} as account_key,
        named.account_id,
        named.account_id as organization_id,
        coalesce(accounts.account_name, named.account_id) as name,
        accounts.industry,
        accounts.country,
        accounts.signup_date,
        accounts.referral_source,
        {{ surrogate_key(["coalesce(accounts.plan_id, '(unknown)')"]) }} as plan_key,
        coalesce(accounts.plan_id, '(unknown)') as plan_id,
        accounts.seats,
        accounts.is_trial,
        accounts.is_churned,
        accounts.account_id is not null as has_arrived
    from named
    left join accounts on named.account_id = accounts.account_id
    where named.account_id is not null
)

select * from final
