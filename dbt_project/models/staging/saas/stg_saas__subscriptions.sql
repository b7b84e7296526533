with landed as (
    {{ landed(
        'saas',
        'subscriptions',
        [
            'subscription_id', 'account_id', 'start_date', 'end_date', 'plan_tier', 'seats', 'mrr_amount', 'arr_amount',
            'is_trial', 'upgrade_flag', 'downgrade_flag', 'churn_flag', 'billing_frequency', 'auto_renew_flag',
        ],
        deletions=true,
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        {{ parse_text('subscription_id') }} as subscription_id,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_date('start_date') }} as start_date,
        {{ parse_date('end_date') }} as end_date,
        {{ parse_text('plan_tier') }} as plan_id,
        {{ parse_integer('seats') }} as seats,
        {{ parse_amount('mrr_amount') }} as mrr_usd,
        {{ parse_amount('arr_amount') }} as arr_usd,
        {{ parse_text('billing_frequency') }} as billing_frequency,
        {{ parse_boolean('is_trial') }} as is_trial,
        {{ parse_boolean('upgrade_flag') }} as is_upgraded,
        {{ parse_boolean('downgrade_flag') }} as is_downgraded,
        {{ parse_boolean('churn_flag') }} as is_churned,
        {{ parse_boolean('auto_renew_flag') }} as is_auto_renewed,
        is_deleted
    from landed
)

select * from final
