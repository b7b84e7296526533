with landed as (
    {{ landed(
        'platform',
        'events',
        ['organization_id', 'event_id', 'user_id', 'action', 'occurred_at', 'dashboard_id', 'feature', 'object'],
    ) }}
),

named as (
    select
        *,
        {{ parse_text('organization_id') }} as named_organization_id,
        {{ parse_text('event_id') }} as named_event_id
    from landed
),

final as (
    select
        admission_seq,
        load_id,
        _row_number,
        {{ surrogate_key(["'platform'", 'named_organization_id', 'named_event_id']) }} as event_key,
        named_organization_id as organization_id,
        named_event_id as event_id,
        {{ parse_text('user_id') }} as user_name,
        {{ parse_text('action') }} as action_type,
        {{ parse_timestamp('occurred_at') }} as occurred_at,
        {{ parse_text('dashboard_id') }} as dashboard_id,
        {{ parse_text('feature') }} as feature,
        {{ parse_text('object') }} as object_name
    from named
)

select * from final
