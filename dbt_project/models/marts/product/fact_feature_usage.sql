{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='usage_id',
    partition_by='usage_date',
    indexes=[
        {'columns': ['admission_seq']},
        {'columns': ['subscription_id', 'organization_id', 'plan_id']},
        {'columns': ['organization_id', 'usage_date']},
        {'columns': ['usage_date'], 'type': 'brin'},
    ],
    pre_hook="{{ move_to_organization_versions('usage_date') }}",
) }}

with versions as (
    select
        *,
        row_number() over (partition by usage_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_saas__feature_usage') }}
    {% if is_incremental() %}
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
),

subscriptions as (
    select * from {{ ref('int_subscriptions_deduplicated') }}
),

{% if is_incremental() %}
    -- A subscription that arrived after its usage, or that moved to another organization or plan. All rows of one
    -- subscription are resolved together, so the index's first entry of each tells, and history is not read for it.
    moved_subscriptions as (
        select subscription_id
        from (
            select
                subscriptions.subscription_id,
                subscriptions.organization_id,
                subscriptions.plan_id,
                (
                    select min(known.organization_id)
                    from {{ this }} as known
                    where known.subscription_id = subscriptions.subscription_id
                ) as known_organization_id,
                (
                    select min(known.plan_id)
                    from {{ this }} as known
                    where known.subscription_id = subscriptions.subscription_id
                ) as known_plan_id
            from subscriptions
        ) as compared
        where known_organization_id != organization_id or known_plan_id != plan_id
    ),
{% endif %}

usage_records as (
    select
        usage_id,
        subscription_id,
        feature_id,
        usage_date,
        usage_count,
        usage_duration_seconds,
        error_count,
        is_beta,
        admission_seq
    from versions
    where version_rank = 1

    {% if is_incremental() %}
        union all

        select
            known.usage_id,
            known.subscription_id,
            known.feature_id,
            known.usage_date,
            known.usage_count,
            known.usage_duration_seconds,
            known.error_count,
            known.is_beta,
            known.admission_seq
        from {{ this }} as known
        inner join moved_subscriptions on known.subscription_id = moved_subscriptions.subscription_id
        left join versions on known.usage_id = versions.usage_id
        where versions.usage_id is null
    {% endif %}
),

resolved as (
    select
        usage_records.*,
        coalesce(subscriptions.organization_id, '(unknown)') as organization_id,
        coalesce(subscriptions.plan_id, '(unknown)') as plan_id
    from usage_records
    left join subscriptions on usage_records.subscription_id = subscriptions.subscription_id
),

final as (
    select
        resolved.usage_id,
        {{ organization_key('resolved.organization_id') }} as organization_key,
        resolved.organization_id,
        {{ surrogate_key(['resolved.subscription_id']) }} as subscription_key,
        resolved.subscription_id,
        {{ surrogate_key(['resolved.plan_id']) }} as plan_key,
        resolved.plan_id,
        {{ surrogate_key(["coalesce(resolved.feature_id, '(unknown)')"]) }} as feature_key,
        coalesce(resolved.feature_id, '(unknown)') as feature_id,
        resolved.usage_date,
        resolved.usage_count,
        resolved.usage_duration_seconds,
        resolved.error_count,
        resolved.is_beta,
        resolved.admission_seq
    from resolved
    {{ join_organization_version('resolved.organization_id', 'resolved.usage_date') }}
)

select * from final
