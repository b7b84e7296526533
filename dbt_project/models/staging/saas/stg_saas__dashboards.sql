with landed as (
    {{ landed(
        'saas',
        'dashboards',
        [
            'dashboard_id', 'account_id', 'title', 'created_at', 'updated_at', 'created_by', 'widget_count',
            'is_shared',
        ],
        key='dashboard_id',
    ) }}
),

final as (
    select
        admission_seq,
        {{ parse_text('dashboard_id') }} as dashboard_id,
        {{ parse_text('account_id') }} as account_id,
        {{ parse_text('title') }} as title,
        {{ parse_timestamp('created_at') }} as created_at,
        {{ parse_timestamp('updated_at') }} as updated_at,
        {{ parse_text('created_by') }} as created_by_user_id,
        {{ parse_integer('widget_count') }} as widget_count,
        {{ parse_boolean('is_shared') }} as is_shared
    from landed
)

select * from final
