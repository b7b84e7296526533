-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    WITH shared_1 AS (
      SELECT
        metric_time__day
        , organization_id
        , SUM(__user_actions) AS user_actions
        , COUNT(DISTINCT __active_users) AS active_users
      FROM (
        SELECT
          DATE_TRUNC('day', action_date) AS metric_time__day
          , organization_id
          , CASE WHEN user_action_id IS NOT NULL THEN 1 ELSE 0 END AS __user_actions
          , case when user_id <> '(unknown)' then user_id end AS __active_users
        FROM {{ ref('fact_user_actions') }} user_actions
      ) part_1
      GROUP BY
        metric_time__day
        , organization_id
    )
    , shared_2 AS (
      SELECT
        DATE_TRUNC('day', session_date) AS metric_time__day
        , organization_id
        , CASE WHEN session_id IS NOT NULL THEN 1 ELSE 0 END AS __sessions
        , duration_seconds / 60.0 AS __session_minutes
      FROM {{ ref('fact_sessions') }} sessions
    )
    SELECT
      COALESCE(part_2.metric_time__day, part_3.metric_time__day, part_4.metric_time__day, part_5.metric_time__day) AS metric_time__day
      , COALESCE(part_2.organization_id, part_3.organization_id, part_4.organization_id, part_5.organization_id) AS organization_id
      , MAX(part_2.user_actions) AS user_actions
      , MAX(part_2.active_users) AS active_users
      , MAX(part_3.actions_per_user) AS actions_per_user
      , MAX(part_4.sessions) AS sessions
      , MAX(part_4.session_minutes) AS session_minutes
      , MAX(part_5.minutes_per_session) AS minutes_per_session
    FROM (
      SELECT
        metric_time__day
        , organization_id
        , user_actions
        , active_users
      FROM shared_1
    ) part_2
    FULL OUTER JOIN (
      SELECT
        metric_time__day
        , organization_id
        , CAST(user_actions AS {{ type_double() }}) / CAST(NULLIF(active_users, 0) AS {{ type_double() }}) AS actions_per_user
      FROM shared_1
    ) part_3
    ON
      (
        part_2.metric_time__day = part_3.metric_time__day
      ) AND (
        part_2.organization_id = part_3.organization_id
      )
    FULL OUTER JOIN (
      SELECT
        metric_time__day
        , organization_id
        , SUM(__sessions) AS sessions
        , SUM(__session_minutes) AS session_minutes
      FROM shared_2
      GROUP BY
        metric_time__day
        , organization_id
    ) part_4
    ON
      (
        COALESCE(part_2.metric_time__day, part_3.metric_time__day) = part_4.metric_time__day
      ) AND (
        COALESCE(part_2.organization_id, part_3.organization_id) = part_4.organization_id
      )
    FULL OUTER JOIN (
      SELECT
        metric_time__day
        , organization_id
        , CAST(session_minutes AS {{ type_double() }}) / CAST(NULLIF(sessions, 0) AS {{ type_double() }}) AS minutes_per_session
      FROM (
        SELECT
          metric_time__day
          , organization_id
          , SUM(__session_minutes) AS session_minutes
          , SUM(__sessions) AS sessions
        FROM shared_2
        GROUP BY
          metric_time__day
          , organization_id
      ) part_6
    ) part_5
    ON
      (
        COALESCE(part_2.metric_time__day, part_3.metric_time__day, part_4.metric_time__day) = part_5.metric_time__day
      ) AND (
        COALESCE(part_2.organization_id, part_3.organization_id, part_4.organization_id) = part_5.organization_id
      )
    GROUP BY
      COALESCE(part_2.metric_time__day, part_3.metric_time__day, part_4.metric_time__day, part_5.metric_time__day)
      , COALESCE(part_2.organization_id, part_3.organization_id, part_4.organization_id, part_5.organization_id)
),

final as (
    select
        organization_id,
        cast(metric_time__day as date) as date_day,
        user_actions,
        active_users,
        actions_per_user,
        sessions,
        session_minutes,
        minutes_per_session
    from answers
)

select * from final
