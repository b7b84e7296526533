with landed as (
    {{ landed(
        'saas',
        'support_tickets',
        [
            'ticket_id', 'account_id', 'submitted_at', 'closed_at', 'resolution_time_hours', 'priority',
            'first_response_time_minutes', 'satisfaction_score', 'escalation_flag',
        ],
    ) }}
),

final as (
    select
        admission_seq,
        _row_number,
        {{ parse_text('ticket_id') }} as ticket_id,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_timestamp('submitted_at') }} as submitted_at,
        {{ parse_timestamp('closed_at') }} as closed_at,
        {{ parse_text('priority') }} as priority,
        {{ parse_amount('resolution_time_hours') }} as resolution_hours,
        {{ parse_amount('first_response_time_minutes') }} as first_response_minutes,
        {{ parse_amount('satisfaction_score') }} as satisfaction_score,
        {{ parse_boolean('escalation_flag') }} as is_escalated
    from landed
)

select * from final
