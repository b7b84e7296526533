-- Made by `python -m orchestration.saved_queries` from the saved query of this name; changes here are lost.
-- noqa: disable=all
with answers as (
    SELECT
      metric_time__month
      , organization_id
      , SUM(__retail_revenue) AS retail_revenue
      , SUM(__units_sold) AS units_sold
      , COUNT(DISTINCT __retail_invoices) AS retail_invoices
      , COUNT(DISTINCT __retail_customers) AS retail_customers
      , SUM(__cancelled_amount) AS cancelled_amount
    FROM (
      SELECT
        DATE_TRUNC('month', invoice_date) AS metric_time__month
        , organization_id
        , amount_gbp AS __retail_revenue
        , case when is_cancellation then -amount_gbp else 0 end AS __cancelled_amount
        , case when unit_price_gbp > 0 then quantity else 0 end AS __units_sold
        , case when not is_cancellation then invoice_id end AS __retail_invoices
        , case when customer_id <> '(unknown)' and not is_cancellation then customer_id end AS __retail_customers
      FROM {{ ref('fact_invoice_lines') }} invoice_lines
    ) part_1
    GROUP BY
      metric_time__month
      , organization_id
),

final as (
    select
        organization_id,
        cast(metric_time__month as date) as month_start_date,
        retail_revenue,
        units_sold,
        retail_invoices,
        retail_customers,
        cancelled_amount
    from answers
)

select * from final
