{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='invoice_line_id',
    partition_by='invoice_date',
    indexes=[
        {'columns': ['admission_seq']},
        {'columns': ['delivery_key']},
        {'columns': ['organization_id', 'invoice_date']},
        {'columns': ['invoice_date'], 'type': 'brin'},
    ],
    pre_hook=[
        "{{ built_together_with('int_invoice_lines_arrived') }}",
        "{{ forget_replaced_deliveries(ref('stg_online_retail__deliveries')) }}",
        "{{ move_to_organization_versions('invoice_date') }}",
    ],
) }}

-- depends_on: {{ ref('stg_online_retail__deliveries') }}
with lines as (
    select * from {{ ref('int_invoice_lines_arrived') }}
    where is_newest
),

final as (
    select
        lines.invoice_line_id,
        {{ organization_key('lines.organization_id') }} as organization_key,
        lines.organization_id,
        lines.invoice_id,
        lines.product_key,
        lines.product_id,
        lines.customer_key,
        lines.customer_id,
        lines.invoice_date,
        lines.invoiced_at,
        lines.is_cancellation,
        lines.quantity,
        cast(lines.unit_price_gbp as numeric(18, 4)) as unit_price_gbp,
        -- A price has no more than four decimals, so nothing is rounded and any sum of lines is exact.
        cast(lines.quantity * lines.unit_price_gbp as numeric(38, 4)) as amount_gbp,
        lines.country,
        lines.delivery_key,
        lines.admission_seq
    from lines
    {{ join_organization_version('lines.organization_id', 'lines.invoice_date') }}
)

select * from final
