{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='ticket_id',
    indexes=[{'columns': ['admission_seq']}, {'columns': ['organization_id', 'submitted_date']}],
) }}

with versions as (
    select
        *,
        row_number() over (partition by ticket_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_saas__support_tickets') }}
    {% if is_incremental() %}
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
),

tickets as (
    select
        *,
        coalesce(account_id, '(unknown)') as organization_id
    from versions
    where version_rank = 1
),

final as (
    select
        ticket_id,
        {{ surrogate_key(['organization_id']) }} as organization_key,
        organization_id,
        {{ utc_date('submitted_at') }} as submitted_date,
        submitted_at,
        closed_at,
        priority,
        resolution_hours,
        first_response_minutes,
        satisfaction_score,
        is_escalated,
        admission_seq
    from tickets
)

select * from final
