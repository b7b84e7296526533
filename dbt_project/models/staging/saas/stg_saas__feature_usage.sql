with landed as (
    {{ landed(
        'saas',
        'feature_usage',
        [
            'usage_id', 'subscription_id', 'usage_date', 'feature_name', 'usage_count', 'usage_duration_secs',
            'error_count', 'is_beta_feature',
        ],
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        {{ parse_text('usage_id') }} as usage_id,
        {{ parse_text('subscription_id') }} as subscription_id,
        {{ parse_date('usage_date') }} as usage_date,
        {{ parse_text('feature_name') }} as feature_id,
        {{ parse_integer('usage_count') }} as usage_count,
        {{ parse_amount('usage_duration_secs') }} as usage_duration_seconds,
        {{ parse_integer('error_count') }} as error_count,
        {{ parse_boolean('is_beta_feature') }} as is_beta
    from landed
)

select * from final
