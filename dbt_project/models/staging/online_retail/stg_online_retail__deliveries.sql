with landed as (
    {{ landed_deliveries('online_retail', 'invoice_lines') }}
),

final as (
    select
        admission_seq,
        batch_id,
        delivery_key,
        first_row_number,
        is_newest
    from landed
)

select * from final
