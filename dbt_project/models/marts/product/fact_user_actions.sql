{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='user_action_id',
    indexes=[{'columns': ['admission_seq']}, {'columns': ['organization_id', 'action_date']}],
) }}

with versions as (
    select
        *,
        row_number() over (partition by event_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_github__events') }}
    {% if is_incremental() %}
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
),

actions as (
    select
        *,
        coalesce(
            organization_login,
            case when repository_name like '%/%' then nullif({{ split_part('repository_name', "'/'", 1) }}, '') end,
            '(unknown)'
        ) as organization_id,
        coalesce(actor_id, actor_login, '(unknown)') as user_id
    from versions
    where version_rank = 1
),

final as (
    select
        event_id as user_action_id,
        {{ surrogate_key(['organization_id']) }} as organization_key,
        organization_id,
        {{ surrogate_key(['organization_id', 'user_id']) }} as user_key,
        user_id,
        coalesce(actor_login, user_id) as user_login,
        event_type as action_type,
        repository_name,
        {{ utc_date('created_at') }} as action_date,
        created_at as acted_at,
        admission_seq
    from actions
)

select * from final
