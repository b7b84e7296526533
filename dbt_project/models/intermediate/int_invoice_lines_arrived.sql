{{ config(unlogged=true) }}

-- The files have no key, and the same line may stand twice on one invoice and mean it. So a line is known by its file,
-- its invoice, its product and how many times that product has stood on the invoice before: it keeps its id when the
-- file lands again, and, unless the same product is above it, also when other lines of a corrected file come or go.
with lines as (
    select * from {{ ref('stg_online_retail__invoice_lines') }}
    where {{ not_yet_in('fact_invoice_lines') }}
),

deliveries as (
    select * from {{ ref('stg_online_retail__deliveries') }}
    where {{ not_yet_in('fact_invoice_lines') }}
),

delivered as (
    {{ with_delivery('lines', 'deliveries', [
        'admission_seq', 'organization_id', 'invoice_id', 'product_id', 'customer_id', 'description', 'country', 'invoiced_at',
        'quantity', 'unit_price_gbp',
    ]) }}
),

stated as (
    select
        admission_seq,
        _row_number,
        delivery_key,
        is_newest,
        organization_id,
        coalesce(invoice_id, '(unknown)') as invoice_id,
        coalesce(product_id, '(unknown)') as product_id,
        coalesce(customer_id, '(unknown)') as customer_id,
        description,
        country,
        invoiced_at,
        quantity,
        unit_price_gbp,
        row_number() over (
            partition by batch_id, delivery_key, coalesce(invoice_id, '(unknown)'), coalesce(product_id, '(unknown)')
            order by _row_number
        ) as place_among_equals
    from delivered
),

final as (
    select
        {{ surrogate_key([
            'delivery_key', 'invoice_id', 'product_id', 'cast(place_among_equals as ' ~ type_string() ~ ')',
        ]) }} as invoice_line_id,
        delivery_key,
        is_newest,
        organization_id,
        invoice_id,
        {{ surrogate_key(['organization_id', 'product_id']) }} as product_key,
        product_id,
        {{ surrogate_key(['organization_id', 'customer_id']) }} as customer_key,
        customer_id,
        description,
        country,
        {{ utc_date('invoiced_at') }} as invoice_date,
        invoiced_at,
        invoice_id like 'C%' as is_cancellation,
        quantity,
        unit_price_gbp,
        admission_seq,
        _row_number
    from stated
)

select * from final
