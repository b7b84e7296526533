with landed as (
    {{ landed(
        'saas',
        'accounts',
        [
            'account_id', 'account_name', 'industry', 'country', 'signup_date', 'referral_source', 'plan_tier', 'seats',
            'is_trial', 'churn_flag',
        ],
        key='account_id',
    ) }}
),

final as (
    select
        admission_seq,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_text('account_name') }} as account_name,
        {{ parse_text('industry') }} as industry,
        {{ parse_text('country') }} as country,
        {{ parse_date('signup_date') }} as signup_date,
        {{ parse_text('referral_source') }} as referral_source,
        {{ parse_text('plan_tier') }} as plan_id,
        {{ parse_integer('seats') }} as seats,
        {{ parse_boolean('is_trial') }} as is_trial,
        {{ parse_boolean('churn_flag') }} as is_churned
    from landed
)

select * from final
