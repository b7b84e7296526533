{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='ticket_id',
    pre_hook="{{ move_to_organization_versions('submitted_date') }}",
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
        coalesce(account_id, '(unknown)') as organization_id,
        {{ utc_date('submitted_at') }} as submitted_date
    from versions
    where version_rank = 1
),

final as (
    select
        tickets.ticket_id,
        {{ organization_key('tickets.organization_id') }} as organization_key,
        tickets.organization_id,
        tickets.submitted_date,
        tickets.submitted_at,
        tickets.closed_at,
        tickets.priority,
        tickets.resolution_hours,
        tickets.first_response_minutes,
        tickets.satisfaction_score,
        tickets.is_escalated,
        tickets.admission_seq
    from tickets
    {{ join_organization_version('tickets.organization_id', 'tickets.submitted_date') }}
)

select * from final
