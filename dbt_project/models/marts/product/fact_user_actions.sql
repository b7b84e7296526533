{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='user_action_id',
    partition_by='action_date',
    remembered=['user_key', 'acted_at'],
    indexes=[
        {'columns': ['admission_seq']},
        {'columns': ['organization_id', 'action_date']},
        {'columns': ['user_key', 'acted_at']},
        {'columns': ['acted_at'], 'type': 'brin'},
    ],
    pre_hook=[
        "{{ built_together_with('int_user_actions_arrived') }}",
        "{{ move_to_organization_versions('action_date') }}",
    ],
) }}

with actions as (
    select * from {{ ref('int_user_actions_arrived') }}
),

final as (
    select
        actions.user_action_id,
        actions.source_name,
        {{ organization_key('actions.organization_id') }} as organization_key,
        actions.organization_id,
        actions.user_key,
        actions.user_id,
        {{ surrogate_key(['actions.organization_id', 'actions.action_type']) }} as action_type_key,
        actions.action_type,
        actions.repository_name,
        case
            when actions.dashboard_id is not null
                then {{ surrogate_key(['actions.organization_id', 'actions.dashboard_id']) }}
        end as dashboard_key,
        actions.feature,
        actions.object_name,
        actions.action_date,
        actions.acted_at,
        actions.admission_seq
    from actions
    {{ join_organization_version('actions.organization_id', 'actions.action_date') }}
)

select * from final
