{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='product_key',
) }}

-- What was said last counts, in the order of admission, as everywhere. A line without a price is a correction of the
-- stock, and calls the product "damaged" or "?". Members stay; only new and changed ones are written.
with said as (
    select
        product_key,
        organization_id,
        product_id,
        case when unit_price_gbp > 0 then description end as description,
        admission_seq,
        _row_number
    from {{ ref('int_invoice_lines_arrived') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by product_key
            order by case when description is null then 1 else 0 end, admission_seq desc, _row_number desc
        ) as said_rank
    from said
),

final as (
    select
        ranked.product_key,
        ranked.organization_id,
        ranked.product_id,
        ranked.description,
        coalesce(ranked.description, ranked.product_id) as name
    from ranked
    {% if is_incremental() %}
        left join {{ this }} as known on ranked.product_key = known.product_key
    {% endif %}
    where
        ranked.said_rank = 1
        {% if is_incremental() %}
            and (
                known.product_key is null
                or ranked.description != coalesce(known.description, '')
            )
        {% endif %}
)

select * from final
