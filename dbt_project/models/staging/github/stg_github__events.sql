with landed as (
    {{ landed('github', 'events', ['id', 'type', 'actor', 'repo', 'org', 'created_at']) }}
),

final as (
    select
        admission_seq,
        load_id,
        _row_number,
        {{ parse_text('id') }} as event_id,
        {{ parse_text('type') }} as event_type,
        {{ json_text('actor', 'id') }} as actor_id,
        {{ json_text('actor', 'login') }} as actor_login,
        {{ json_text('repo', 'name') }} as repository_name,
        {{ json_text('org', 'login') }} as organization_login,
        {{ parse_timestamp('created_at') }} as created_at
    from landed
)

select * from final
