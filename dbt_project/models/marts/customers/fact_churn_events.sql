{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='churn_event_id',
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
        churn_event_id,
        {{ surrogate_key(['organization_id']) }} as organization_key,
        organization_id,
        churn_date,
        reason,
        refund_usd,
        is_after_upgrade,
        is_after_downgrade,
        is_reactivation,
        feedback,
        admission_seq
    from churn_events
)

select * from final
