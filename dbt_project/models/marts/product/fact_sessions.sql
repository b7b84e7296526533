{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    partition_by='session_date',
    indexes=[
        {'columns': ['admission_seq']},
        {'columns': ['organization_id', 'session_date']},
        {'columns': ['user_key', 'started_at']},
        {'columns': ['duration_seconds']},
        {'columns': ['started_at'], 'type': 'brin'},
    ],
    pre_hook=["{{ forget_touched_sessions() }}", "{{ move_to_organization_versions('session_date') }}"],
    post_hook="{{ forget_users_without_actions() }}",
) }}

with actions as (
    select actions.*
    from {{ ref('fact_user_actions') }} as actions
    {% if is_incremental() %}
        -- The days of each stretch keep PostgreSQL from looking into any other month.
        inner join {{ ref('int_sessions_touched') }} as touched
            on
                actions.user_key = touched.user_key
                and actions.acted_at >= touched.from_at
                and actions.acted_at <= touched.to_at
                and actions.action_date >= {{ utc_date('touched.from_at') }}
                and actions.action_date <= {{ utc_date('touched.to_at') }}
    {% endif %}
),

followed as (
    select
        *,
        lag(acted_at) over (partition by user_key order by acted_at, user_action_id) as acted_before_at
    from actions
),

numbered as (
    select
        *,
        sum(
            case when acted_at <= {{ dateadd('minute', 30, 'acted_before_at') }} then 0 else 1 end
        ) over (partition by user_key order by acted_at, user_action_id rows unbounded preceding) as session_number
    from followed
),

placed as (
    select
        *,
        row_number() over (
            partition by user_key, session_number order by acted_at, user_action_id
        ) as place
    from numbered
),

sessions as (
    select
        user_key,
        organization_id,
        max(case when place = 1 then user_action_id end) as session_id,
        min(acted_at) as started_at,
        max(acted_at) as ended_at,
        count(*) as action_count,
        count(distinct action_type) as action_type_count,
        max(admission_seq) as admission_seq
    from placed
    group by user_key, organization_id, session_number
),

dated as (
    select
        *,
        {{ utc_date('started_at') }} as session_date
    from sessions
),

final as (
    select
        dated.session_id,
        {{ organization_key('dated.organization_id') }} as organization_key,
        dated.organization_id,
        dated.user_key,
        dated.session_date,
        dated.started_at,
        dated.ended_at,
        cast({{ datediff('dated.started_at', 'dated.ended_at', 'second') }} as {{ type_bigint() }}) as duration_seconds,
        dated.action_count,
        dated.action_type_count,
        dated.admission_seq
    from dated
    {{ join_organization_version('dated.organization_id', 'dated.session_date') }}
)

select * from final
