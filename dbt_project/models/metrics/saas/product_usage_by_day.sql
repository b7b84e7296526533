-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    SELECT
      metric_time__day
      , organization_id
      , SUM(__feature_uses) AS feature_uses
      , SUM(__usage_hours) AS usage_hours
    FROM (
      SELECT
        DATE_TRUNC('day', usage_date) AS metric_time__day
        , organization_id
        , usage_count AS __feature_uses
        , usage_duration_seconds / 3600.0 AS __usage_hours
      FROM {{ ref('fact_feature_usage') }} feature_usage
    ) part_1
    GROUP BY
      metric_time__day
      , organization_id
),

final as (
    select
        organization_id,
        cast(metric_time__day as date) as date_day,
        feature_uses,
        usage_hours
    from answers
)

select * from final
