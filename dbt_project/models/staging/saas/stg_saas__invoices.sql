with landed as (
    {{ landed(
        'saas',
        'invoices',
        [
            'invoice_id', 'account_id', 'subscription_id', 'issued_date', 'due_date', 'paid_date', 'status', 'currency',
            'subtotal_usd', 'tax_usd', 'total_usd',
        ],
        deletions=true,
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        {{ parse_text('invoice_id') }} as invoice_id,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_text('subscription_id') }} as subscription_id,
        {{ parse_date('issued_date') }} as issued_date,
        {{ parse_date('due_date') }} as due_date,
        {{ parse_date('paid_date') }} as paid_date,
        {{ parse_text('status') }} as status,
        {{ parse_text('currency') }} as currency,
        {{ parse_amount('subtotal_usd') }} as subtotal_usd,
        {{ parse_amount('tax_usd') }} as tax_usd,
        {{ parse_amount('total_usd') }} as total_usd,
        is_deleted
    from landed
)

select * from final
