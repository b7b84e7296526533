-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    SELECT
      metric_time__month
      , organization_id
      , SUM(__churn_events) AS churn_events
      , SUM(__refunds_usd) AS refunds_usd
    FROM (
      SELECT
        DATE_TRUNC('month', churn_date) AS metric_time__month
        , organization_id
        , CASE WHEN churn_event_id IS NOT NULL THEN 1 ELSE 0 END AS __churn_events
        , refund_usd AS __refunds_usd
      FROM {{ ref('fact_churn_events') }} churn_events
    ) part_1
    GROUP BY
      metric_time__month
      , organization_id
),

final as (
    select
        organization_id,
        cast(metric_time__month as date) as month_start_date,
        churn_events,
        refunds_usd
    from answers
)

select * from final
