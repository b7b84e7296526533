{{ config(unlogged=true) }}

-- The documents of an event are taken apart once, here; its dimensions and its fact read what came of it.
with versions as (
    {% if configured('github') %}
        select
            'github' as source_name,
            event_id as user_action_id,
            coalesce(
                organization_login,
                case when repository_name like '%/%' then nullif({{ split_part('repository_name', "'/'", 1) }}, '') end,
                '(unknown)'
            ) as organization_id,
            -- A login is personal and an id is not, so it may not stand in for one as it is.
            coalesce(actor_id, {{ surrogate_key(['actor_login']) }}, '(unknown)') as user_id,
            actor_login as user_login,
            coalesce(event_type, '(unknown)') as action_type,
            repository_name,
            cast(null as {{ type_string() }}) as dashboard_id,
            cast(null as {{ type_string() }}) as feature,
            cast(null as {{ type_string() }}) as object_name,
            created_at as acted_at,
            admission_seq,
            _row_number
        from {{ ref('stg_github__events') }}
        where
            {{ not_yet_in('fact_user_actions', ['github.events']) }}
            and {{ loads_not_yet_in('fact_user_actions', 'github.events') }}
    {% endif %}

    {% if configured('github') and configured('platform') %}
        union all
    {% endif %}

    {% if configured('platform') %}
        select
            'platform' as source_name,
            event_key as user_action_id,
            organization_id,
            -- Two organizations may call different users the same, and what one calls a user may be personal.
            coalesce({{ surrogate_key(["'platform'", 'organization_id', 'user_name']) }}, '(unknown)') as user_id,
            user_name as user_login,
            coalesce(action_type, '(unknown)') as action_type,
            cast(null as {{ type_string() }}) as repository_name,
            dashboard_id,
            feature,
            object_name,
            occurred_at as acted_at,
            admission_seq,
            _row_number
        from {{ ref('stg_platform__events') }}
        where
            {{ not_yet_in('fact_user_actions', ['platform.events']) }}
            and {{ loads_not_yet_in('fact_user_actions', 'platform.events') }}
    {% endif %}
),

ranked as (
    select
        *,
        row_number() over (partition by user_action_id order by admission_seq desc, _row_number desc) as version_rank
    from versions
),

final as (
    select
        user_action_id,
        source_name,
        organization_id,
        {{ surrogate_key(['organization_id', 'user_id']) }} as user_key,
        user_id,
        coalesce(user_login, user_id) as user_login,
        action_type,
        repository_name,
        dashboard_id,
        feature,
        object_name,
        {{ utc_date('acted_at') }} as action_date,
        acted_at,
        admission_seq
    from ranked
    where version_rank = 1
)

select * from final
