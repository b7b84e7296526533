with landed as (
    {{ landed(
        'saas',
        'opportunities',
        [
            'opportunity_id', 'account_id', 'kind', 'stage', 'amount_usd', 'probability', 'created_date', 'closed_date',
            'is_won', 'is_closed', 'owner',
        ],
        deletions=true,
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        {{ parse_text('opportunity_id') }} as opportunity_id,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_text('kind') }} as kind,
        {{ parse_text('stage') }} as stage,
        {{ parse_amount('amount_usd') }} as amount_usd,
        -- Two decimals, as amounts have, would make 0.13 of 0.125. What is no share is null.
        cast(
            case when {{ parse_number('probability') }} between 0 and 1 then {{ parse_number('probability') }} end
            as numeric(7, 6)
        ) as probability,
        {{ parse_date('created_date') }} as created_date,
        {{ parse_date('closed_date') }} as closed_date,
        {{ parse_boolean('is_won') }} as is_won,
        {{ parse_boolean('is_closed') }} as is_closed,
        {{ parse_text('owner') }} as owner_id,
        is_deleted
    from landed
)

select * from final
