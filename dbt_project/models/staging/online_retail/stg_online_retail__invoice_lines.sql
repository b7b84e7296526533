with landed as (
    {{ landed(
        'online_retail',
        'invoice_lines',
        [
            'invoice_no', 'stock_code', 'description', 'quantity', 'invoice_date', 'unit_price', 'customer_id', 'country',
        ],
    ) }}
),

final as (
    select
        admission_seq,
        batch_id,
        _row_number,
        -- All invoices are those of one shop, which the files do not name.
        'online_retail' as organization_id,
        {{ parse_text('invoice_no') }} as invoice_id,
        {{ parse_text('stock_code') }} as product_id,
        {{ parse_text('description') }} as description,
        {{ parse_integer('quantity') }} as quantity,
        {{ parse_timestamp('invoice_date') }} as invoiced_at,
        cast(
            case when abs({{ parse_number('unit_price') }}) < 1e14 then {{ parse_number('unit_price') }} end
            as numeric(18, 4)
        ) as unit_price_gbp,
        -- The id comes as a number with a point, such as 17850.0.
        coalesce(
            cast({{ parse_integer('customer_id') }} as {{ type_string() }}), {{ parse_text('customer_id') }}
        ) as customer_id,
        nullif({{ parse_text('country') }}, 'Unspecified') as country
    from landed
)

select * from final
