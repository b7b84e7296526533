-- A dashboard is its organization's: what another organization calls the same is another one. Each has one row, that of
-- its own system before that of an action which only names it.
with stated as (
    {% if configured('saas') %}
        select
            coalesce(account_id, '(unknown)') as organization_id,
            dashboard_id,
            title,
            created_at,
            updated_at,
            created_by_user_id,
            widget_count,
            is_shared,
            admission_seq,
            1 as preference
        from {{ ref('stg_saas__dashboards') }}
        where dashboard_id is not null
    {% endif %}

    {% if configured('saas') and configured('platform') %}
        union all
    {% endif %}

    {% if configured('platform') %}
        select
            organization_id,
            dashboard_id,
            cast(null as {{ type_string() }}) as title,
            cast(null as {{ type_moment() }}) as created_at,
            cast(null as {{ type_moment() }}) as updated_at,
            cast(null as {{ type_string() }}) as created_by_user_id,
            cast(null as {{ type_bigint() }}) as widget_count,
            cast(null as {{ type_boolean() }}) as is_shared,
            admission_seq,
            2 as preference
        from {{ ref('int_dashboards_named') }}
    {% endif %}
),

ranked as (
    select
        *,
        row_number() over (partition by organization_id, dashboard_id order by preference) as preference_rank
    from stated
),

final as (
    select
        {{ surrogate_key(['organization_id', 'dashboard_id']) }} as dashboard_key,
        dashboard_id,
        organization_id,
        coalesce(title, dashboard_id) as title,
        {{ utc_date('created_at') }} as created_date,
        created_at,
        updated_at,
        created_by_user_id,
        widget_count,
        is_shared,
        admission_seq
    from ranked
    where preference_rank = 1
)

select * from final
