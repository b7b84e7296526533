{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='churn_event_id',
    pre_hook="{{ move_to_organization_versions('churn_date') }}",
    indexes=[{'columns': ['admission_seq']}, {'columns': ['organization_id', 'churn_date']}],
) }}

with versions as (
    select
        *,
        row_number() over (partition by churn_event_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_saas__churn_events') }}
    {% if is_incremental() %}
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
),

churn_events as (
    select
        *,
        coalesce(account_id, '(unknown)') as organization_id
    from versions
    where version_rank = 1
),

final as (
    select
        churn_events.churn_event_id,
        {{ organization_key('churn_events.organization_id') }} as organization_key,
        churn_events.organization_id,
        churn_events.churn_date,
        churn_events.reason,
        churn_events.refund_usd,
        churn_events.is_after_upgrade,
        churn_events.is_after_downgrade,
        churn_events.is_reactivation,
        churn_events.feedback,
        churn_events.admission_seq
    from churn_events
    {{ join_organization_version('churn_events.organization_id', 'churn_events.churn_date') }}
)

select * from final
