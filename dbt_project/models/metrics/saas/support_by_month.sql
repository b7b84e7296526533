-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    SELECT
      metric_time__month
      , organization_id
      , SUM(__tickets_opened) AS tickets_opened
      , AVG(__first_response_minutes) AS first_response_minutes
      , AVG(__satisfaction) AS satisfaction
    FROM (
      SELECT
        DATE_TRUNC('month', submitted_date) AS metric_time__month
        , organization_id
        , CASE WHEN ticket_id IS NOT NULL THEN 1 ELSE 0 END AS __tickets_opened
        , first_response_minutes AS __first_response_minutes
        , satisfaction_score AS __satisfaction
      FROM {{ ref('fact_support_tickets') }} support_tickets
    ) part_1
    GROUP BY
      metric_time__month
      , organization_id
),

final as (
    select
        organization_id,
        cast(metric_time__month as date) as month_start_date,
        tickets_opened,
        first_response_minutes,
        satisfaction
    from answers
)

select * from final
