with landed as (
    {{ landed(
        'saas',
        'churn_events',
        [
            'churn_event_id', 'account_id', 'churn_date', 'reason_code', 'refund_amount_usd', 'preceding_upgrade_flag',
            'preceding_downgrade_flag', 'is_reactivation', 'feedback_text',
        ],
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        {{ parse_text('churn_event_id') }} as churn_event_id,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_date('churn_date') }} as churn_date,
        {{ parse_text('reason_code') }} as reason,
        {{ parse_amount('refund_amount_usd') }} as refund_usd,
        {{ parse_boolean('preceding_upgrade_flag') }} as is_after_upgrade,
        {{ parse_boolean('preceding_downgrade_flag') }} as is_after_downgrade,
        {{ parse_boolean('is_reactivation') }} as is_reactivation,
        {{ parse_text('feedback_text') }} as feedback
    from landed
)

select * from final
