{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='action_type_id',
    pre_hook="{{ built_together_with('int_user_actions_arrived') }}",
) }}

-- Members stay; the newest admission that named one is not kept, or each build would write all of them.
with stated as (
    select distinct action_type as action_type_id from {{ ref('int_user_actions_arrived') }}
),

final as (
    select
        {{ surrogate_key(['action_type_id']) }} as action_type_key,
        action_type_id,
        replace(action_type_id, 'Event', '') as name
    from stated
    {% if is_incremental() %}
        where action_type_id not in (select known.action_type_id from {{ this }} as known)
    {% endif %}
)

select * from final
