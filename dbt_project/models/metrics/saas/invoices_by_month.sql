-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    WITH shared_1 AS (
      SELECT
        total_usd AS __invoiced_usd
        , total_usd AS __outstanding_usd
        , total_usd AS __overdue_usd
        , total_usd AS __collected_usd
        , DATE_TRUNC('month', issued_date) AS issued_date__month
        , DATE_TRUNC('month', paid_date) AS paid_date__month
        , status AS invoice__status
        , organization_id
      FROM {{ ref('fact_invoices') }} invoices
    )
    , shared_2 AS (
      SELECT
        issued_date__month AS metric_time__month
        , organization_id
        , invoice__status
        , __invoiced_usd
        , __outstanding_usd
        , __overdue_usd
      FROM shared_1
    )
    SELECT
      COALESCE(part_1.metric_time__month, part_2.metric_time__month, part_3.metric_time__month, part_4.metric_time__month) AS metric_time__month
      , COALESCE(part_1.organization_id, part_2.organization_id, part_3.organization_id, part_4.organization_id) AS organization_id
      , MAX(part_1.invoiced_usd) AS invoiced_usd
      , MAX(part_2.collected_usd) AS collected_usd
      , MAX(part_3.outstanding_usd) AS outstanding_usd
      , MAX(part_4.overdue_usd) AS overdue_usd
    FROM (
      SELECT
        metric_time__month
        , organization_id
        , SUM(invoiced_usd) AS invoiced_usd
      FROM (
        SELECT
          metric_time__month
          , organization_id
          , invoice__status
          , __invoiced_usd AS invoiced_usd
        FROM shared_2
      ) part_5
      WHERE invoice__status <> 'void'
      GROUP BY
        metric_time__month
        , organization_id
    ) part_1
    FULL OUTER JOIN (
      SELECT
        metric_time__month
        , organization_id
        , SUM(collected_usd) AS collected_usd
      FROM (
        SELECT
          paid_date__month AS metric_time__month
          , organization_id
          , invoice__status
          , __collected_usd AS collected_usd
        FROM shared_1
      ) part_6
      WHERE invoice__status = 'paid'
      GROUP BY
        metric_time__month
        , organization_id
    ) part_2
    ON
      (
        part_1.metric_time__month = part_2.metric_time__month
      ) AND (
        part_1.organization_id = part_2.organization_id
      )
    FULL OUTER JOIN (
      SELECT
        metric_time__month
        , organization_id
        , SUM(outstanding_usd) AS outstanding_usd
      FROM (
        SELECT
          metric_time__month
          , organization_id
          , invoice__status
          , __outstanding_usd AS outstanding_usd
        FROM shared_2
      ) part_7
      WHERE invoice__status not in ('paid', 'void')
      GROUP BY
        metric_time__month
        , organization_id
    ) part_3
    ON
      (
        COALESCE(part_1.metric_time__month, part_2.metric_time__month) = part_3.metric_time__month
      ) AND (
        COALESCE(part_1.organization_id, part_2.organization_id) = part_3.organization_id
      )
    FULL OUTER JOIN (
      SELECT
        metric_time__month
        , organization_id
        , SUM(overdue_usd) AS overdue_usd
      FROM (
        SELECT
          metric_time__month
          , organization_id
          , invoice__status
          , __overdue_usd AS overdue_usd
        FROM shared_2
      ) part_8
      WHERE invoice__status = 'overdue'
      GROUP BY
        metric_time__month
        , organization_id
    ) part_4
    ON
      (
        COALESCE(part_1.metric_time__month, part_2.metric_time__month, part_3.metric_time__month) = part_4.metric_time__month
      ) AND (
        COALESCE(part_1.organization_id, part_2.organization_id, part_3.organization_id) = part_4.organization_id
      )
    GROUP BY
      COALESCE(part_1.metric_time__month, part_2.metric_time__month, part_3.metric_time__month, part_4.metric_time__month)
      , COALESCE(part_1.organization_id, part_2.organization_id, part_3.organization_id, part_4.organization_id)
),

final as (
    select
        organization_id,
        cast(metric_time__month as date) as month_start_date,
        invoiced_usd,
        collected_usd,
        outstanding_usd,
        overdue_usd
    from answers
)

select * from final
