{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='organization_key',
    indexes=[{'columns': ['organization_id']}],
    pre_hook=[
        "{{ built_together_with('int_user_actions_arrived') if configured('github') or configured('platform') }}",
        "{{ built_together_with('int_invoice_lines_arrived') if configured('online_retail') }}",
    ],
) }}

-- An organization that a fact names before its account has arrived is a member already, so that its rows are its own
-- from the start; the account fills in the attributes when it comes. Members stay, only changed ones are written.
with named as (
    {% if configured('saas') %}
        select organization_id from {{ ref('int_subscriptions_deduplicated') }}

        union

        select account_id as organization_id from {{ ref('stg_saas__support_tickets') }}
        where {{ not_yet_in('fact_support_tickets') }}

        union

        select account_id as organization_id from {{ ref('stg_saas__churn_events') }}
        where {{ not_yet_in('fact_churn_events') }}

        union

        select account_id as organization_id from {{ ref('stg_saas__invoices') }}
        where {{ not_yet_in('fact_invoices') }}

        union

        select account_id as organization_id from {{ ref('stg_saas__opportunities') }}
        where {{ not_yet_in('fact_opportunities') }}

        union

        select account_id as organization_id from {{ ref('stg_saas__dashboards') }}

        union
    {% endif %}

    {% if configured('github') or configured('platform') %}
        select organization_id from {{ ref('int_user_actions_arrived') }}

        union
    {% endif %}

    {% if configured('online_retail') %}
        select organization_id from {{ ref('int_invoice_lines_arrived') }}

        union
    {% endif %}

    select '(unknown)' as organization_id
),

{% if configured('saas') %}
    accounts as (
        select * from {{ ref('stg_saas__accounts') }}
    ),

    versioned as (
        select
            versions.organization_key,
            versions.organization_id,
            versions.version_number,
            coalesce(accounts.account_name, versions.organization_id) as name,
            versions.industry,
            accounts.country,
            accounts.signup_date,
            accounts.referral_source,
            versions.plan_id as account_plan_id,
            versions.seats,
            versions.is_trial,
            accounts.is_churned,
            accounts.account_id is not null as has_account,
            versions.valid_from,
            versions.valid_to,
            versions.is_current
        from {{ ref('int_organization_versions') }} as versions
        left join accounts on versions.organization_id = accounts.account_id
    ),
{% endif %}

members as (
    {% if configured('saas') %}
        select * from versioned

        union all
    {% endif %}

    select
        {{ surrogate_key(['named.organization_id']) }} as organization_key,
        named.organization_id,
        1 as version_number,
        named.organization_id as name,
        cast(null as {{ type_string() }}) as industry,
        cast(null as {{ type_string() }}) as country,
        cast(null as date) as signup_date,
        cast(null as {{ type_string() }}) as referral_source,
        cast(null as {{ type_string() }}) as account_plan_id,
        cast(null as {{ type_bigint() }}) as seats,
        cast(null as {{ type_boolean() }}) as is_trial,
        cast(null as {{ type_boolean() }}) as is_churned,
        false as has_account,
        cast('1900-01-01 00:00:00+00' as {{ type_moment() }}) as valid_from,
        cast(null as {{ type_moment() }}) as valid_to,
        true as is_current
    from named
    where
        named.organization_id is not null
        {% if configured('saas') %}
            and named.organization_id not in (select versioned.organization_id from versioned)
        {% elif is_incremental() %}
            -- What is known of the others came from their accounts, and no one tells it here any more.
            and named.organization_id not in (select known.organization_id from {{ this }} as known)
        {% endif %}
),

final as (
    {{ changed_rows('members') }}
)

select * from final
