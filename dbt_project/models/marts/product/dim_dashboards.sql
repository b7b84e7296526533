with dashboards as (
    select * from {{ ref('stg_saas__dashboards') }}
    where dashboard_id is not null
),

final as (
    select
        {{ surrogate_key(['dashboard_id']) }} as dashboard_key,
        dashboard_id,
        coalesce(account_id, '(unknown)') as organization_id,
        coalesce(title, dashboard_id) as title,
        {{ utc_date('created_at') }} as created_date,
        created_at,
        updated_at,
        created_by_user_id,
        widget_count,
        is_shared,
        admission_seq
    from dashboards
)

select * from final
