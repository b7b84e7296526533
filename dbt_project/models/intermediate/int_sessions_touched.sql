{{ config(unlogged=true) }}

-- What a new, corrected or moved action can change: the half hours around it and the sessions these touch. A session
-- may last for days, but none is longer than the longest there is, so that only the latest ones are looked through;
-- durations are whole seconds, which can be one too few.
{% set sessions = built_mart('fact_sessions') %}
{% set replaced = replaced_rows('fact_user_actions') if sessions else none %}
{% set is_new = not_yet_in('fact_sessions', ['github.events', 'platform.events']) %}

with actions as (
    {% if sessions %}
        select
            user_key,
            acted_at
        from {{ ref('fact_user_actions') }}
        where {{ is_new }}

        {% if replaced %}
            union all

            select
                user_key,
                acted_at
            from {{ replaced }}
            where {{ is_new }}
        {% endif %}
    {% else %}
        -- Without sessions everything is new, and fact_sessions reads it all.
        select
            user_key,
            acted_at
        from {{ ref('fact_user_actions') }}
        where false
    {% endif %}
),

surroundings as (
    select
        user_key,
        {{ dateadd('minute', -30, 'min(acted_at)') }} as from_at,
        {{ dateadd('minute', 30, 'max(acted_at)') }} as to_at
    from actions
    group by user_key, {{ utc_date('acted_at') }}
),

{% if sessions %}
    searched as (
        select
            *,
            {{ dateadd(
                'second',
                '-1 - (select coalesce(max(known.duration_seconds), 0) from ' ~ sessions ~ ' as known)',
                'from_at',
            ) }} as searched_from_at
        from surroundings
    ),
{% endif %}

reached as (
    {% if sessions %}
        select
            searched.user_key,
            searched.from_at as around_from_at,
            searched.to_at as around_to_at,
            least(searched.from_at, min(sessions.started_at)) as from_at,
            greatest(searched.to_at, max(sessions.ended_at)) as to_at
        from searched
        left join {{ sessions }} as sessions
            on
                searched.user_key = sessions.user_key
                and searched.to_at >= sessions.started_at
                and searched.from_at <= sessions.ended_at
                and searched.searched_from_at <= sessions.started_at
                and {{ utc_date('searched.searched_from_at') }} <= sessions.session_date
                and {{ utc_date('searched.to_at') }} >= sessions.session_date
        group by searched.user_key, searched.from_at, searched.to_at
    {% else %}
        select * from surroundings
    {% endif %}
),

compared as (
    select
        user_key,
        from_at,
        to_at,
        max(to_at) over (
            partition by user_key order by from_at, to_at rows between unbounded preceding and 1 preceding
        ) as reached_at
    from reached
),

numbered as (
    select
        *,
        sum(case when from_at <= reached_at then 0 else 1 end) over (
            partition by user_key order by from_at, to_at rows unbounded preceding
        ) as window_number
    from compared
),

final as (
    select
        user_key,
        min(from_at) as from_at,
        max(to_at) as to_at
    from numbered
    group by user_key, window_number
)

select * from final
