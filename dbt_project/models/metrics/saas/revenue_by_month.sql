-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    WITH shared_1 AS (
      SELECT
        DATE_TRUNC('month', month_start_date) AS month_start_date__month
        , DATE_TRUNC('month', month_start_date) AS metric_time__month
        , organization_id
        , mrr_usd AS __mrr
        , active_subscriptions AS __active_subscriptions
        , case when active_subscriptions > 0 then organization_id end AS __active_organizations
      FROM {{ ref('fact_organization_months') }} organization_months
    )
    SELECT
      COALESCE(part_1.metric_time__month, part_2.metric_time__month, part_3.metric_time__month) AS metric_time__month
      , COALESCE(part_1.organization_id, part_2.organization_id, part_3.organization_id) AS organization_id
      , MAX(part_1.mrr) AS mrr
      , MAX(part_1.active_subscriptions) AS active_subscriptions
      , MAX(part_1.active_organizations) AS active_organizations
      , MAX(part_2.arr) AS arr
      , MAX(part_3.new_mrr) AS new_mrr
      , MAX(part_3.expansion_mrr) AS expansion_mrr
      , MAX(part_3.contraction_mrr) AS contraction_mrr
      , MAX(part_3.churned_mrr) AS churned_mrr
      , MAX(part_3.reactivated_mrr) AS reactivated_mrr
      , MAX(part_3.net_new_mrr) AS net_new_mrr
    FROM (
      SELECT
        part_4.metric_time__month AS metric_time__month
        , part_4.organization_id AS organization_id
        , SUM(part_4.__mrr) AS mrr
        , SUM(part_4.__active_subscriptions) AS active_subscriptions
        , COUNT(DISTINCT part_4.__active_organizations) AS active_organizations
      FROM (
        SELECT
          month_start_date__month
          , metric_time__month
          , organization_id
          , __mrr
          , __active_subscriptions
          , __active_organizations
        FROM shared_1
      ) part_4
      INNER JOIN (
        SELECT
          metric_time__month
          , MAX(month_start_date__month) AS month_start_date__month__complete
        FROM shared_1
        GROUP BY
          metric_time__month
      ) part_5
      ON
        part_4.month_start_date__month = part_5.month_start_date__month__complete
      GROUP BY
        part_4.metric_time__month
        , part_4.organization_id
    ) part_1
    FULL OUTER JOIN (
      SELECT
        metric_time__month
        , organization_id
        , mrr * 12 AS arr
      FROM (
        SELECT
          part_6.metric_time__month AS metric_time__month
          , part_6.organization_id AS organization_id
          , SUM(part_6.__mrr) AS mrr
        FROM (
          SELECT
            month_start_date__month
            , metric_time__month
            , organization_id
            , __mrr
          FROM shared_1
        ) part_6
        INNER JOIN (
          SELECT
            metric_time__month
            , MAX(month_start_date__month) AS month_start_date__month__complete
          FROM shared_1
          GROUP BY
            metric_time__month
        ) part_7
        ON
          part_6.month_start_date__month = part_7.month_start_date__month__complete
        GROUP BY
          part_6.metric_time__month
          , part_6.organization_id
      ) part_8
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
        , SUM(__new_mrr) AS new_mrr
        , SUM(__expansion_mrr) AS expansion_mrr
        , SUM(__contraction_mrr) AS contraction_mrr
        , SUM(__churned_mrr) AS churned_mrr
        , SUM(__reactivated_mrr) AS reactivated_mrr
        , SUM(__net_new_mrr) AS net_new_mrr
      FROM (
        SELECT
          DATE_TRUNC('month', month_start_date) AS metric_time__month
          , organization_id
          , case when movement_type = 'new' then movement_usd else 0 end AS __new_mrr
          , case when movement_type = 'expansion' then movement_usd else 0 end AS __expansion_mrr
          , case when movement_type = 'contraction' then -movement_usd else 0 end AS __contraction_mrr
          , case when movement_type = 'churn' then -movement_usd else 0 end AS __churned_mrr
          , case when movement_type = 'reactivation' then movement_usd else 0 end AS __reactivated_mrr
          , movement_usd AS __net_new_mrr
        FROM {{ ref('fact_mrr_movements') }} mrr_movements
      ) part_9
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
    GROUP BY
      COALESCE(part_1.metric_time__month, part_2.metric_time__month, part_3.metric_time__month)
      , COALESCE(part_1.organization_id, part_2.organization_id, part_3.organization_id)
),

final as (
    select
        organization_id,
        cast(metric_time__month as date) as month_start_date,
        mrr,
        arr,
        active_subscriptions,
        active_organizations,
        new_mrr,
        expansion_mrr,
        contraction_mrr,
        churned_mrr,
        reactivated_mrr,
        net_new_mrr
    from answers
)

select * from final
