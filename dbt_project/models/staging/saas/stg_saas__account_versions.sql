with landed as (
    {{ landed(
        'saas',
        'accounts',
        ['account_id', 'industry', 'plan_tier', 'seats', 'is_trial'],
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        landed_at,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_text('industry') }} as industry,
        {{ parse_text('plan_tier') }} as plan_id,
        {{ parse_integer('seats') }} as seats,
        {{ parse_boolean('is_trial') }} as is_trial
    from landed
)

select * from final
