{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='dashboard_key',
    on_schema_change='fail',
    pre_hook="{{ built_together_with('int_user_actions_arrived') }}",
) }}

-- Members stay: nothing but the actions tells of these dashboards, and only new actions are read.
with named as (
    select
        organization_id,
        dashboard_id,
        max(admission_seq) as admission_seq
    from {{ ref('int_user_actions_arrived') }}
    where dashboard_id is not null
    group by organization_id, dashboard_id
),

final as (
    select
        {{ surrogate_key(['organization_id', 'dashboard_id']) }} as dashboard_key,
        organization_id,
        dashboard_id,
        admission_seq
    from named
)

select * from final
