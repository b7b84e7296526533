{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='action_type_key',
    pre_hook="{{ built_together_with('int_user_actions_arrived') }}",
) }}

-- What an organization calls its users' actions is its own business, so each has its kinds for itself.
-- Members stay; the newest admission that named one is not kept, or each build would write all of them.
with stated as (
    select distinct
        organization_id,
        action_type as action_type_id
    from {{ ref('int_user_actions_arrived') }}
),

keyed as (
    select
        {{ surrogate_key(['organization_id', 'action_type_id']) }} as action_type_key,
        organization_id,
        action_type_id
    from stated
),

final as (
    select
        action_type_key,
        organization_id,
        action_type_id,
        replace(action_type_id, 'Event', '') as name
    from keyed
    {% if is_incremental() %}
        where action_type_key not in (select known.action_type_key from {{ this }} as known)
    {% endif %}
)

select * from final
