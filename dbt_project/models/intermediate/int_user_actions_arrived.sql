{{ config(unlogged=true) }}

-- The documents of an event are taken apart once, here; its dimensions and its fact read what came of it.
with versions as (
    select
        *,
        row_number() over (partition by event_id order by admission_seq desc, _row_number desc) as version_rank
    from {{ ref('stg_github__events') }}
    where {{ not_yet_in('fact_user_actions') }}
),

actions as (
    select
        *,
        coalesce(
            organization_login,
            case when repository_name like '%/%' then nullif({{ split_part('repository_name', "'/'", 1) }}, '') end,
            '(unknown)'
        ) as organization_id,
        -- A login is personal and an id is not, so it may not stand in for one as it is.
        coalesce(actor_id, {{ surrogate_key(['actor_login']) }}, '(unknown)') as user_id
    from versions
    where version_rank = 1
),

final as (
    select
        event_id as user_action_id,
        organization_id,
        {{ surrogate_key(['organization_id', 'user_id']) }} as user_key,
        user_id,
        coalesce(actor_login, user_id) as user_login,
        coalesce(event_type, '(unknown)') as action_type,
        repository_name,
        {{ utc_date('created_at') }} as action_date,
        created_at as acted_at,
        admission_seq
    from actions
)

select * from final
