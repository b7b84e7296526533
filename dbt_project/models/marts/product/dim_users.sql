{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='user_key',
    schema='personal',
    indexes=[{'columns': ['admission_seq']}, {'columns': ['organization_id']}],
    pre_hook="{{ built_together_with('int_user_actions_arrived') }}",
) }}

-- Many actions, few names: the names are gathered first, so that only they are sorted, not the actions.
with names as (
    select
        user_key,
        organization_id,
        user_id,
        user_login,
        max(acted_at) as last_acted_at,
        max(admission_seq) as admission_seq
    from {{ ref('int_user_actions_arrived') }}
    group by user_key, organization_id, user_id, user_login
),

ranked as (
    select
        *,
        row_number() over (
            partition by user_key order by admission_seq desc, last_acted_at desc, user_login desc
        ) as version_rank
    from names
),

final as (
    select
        user_key,
        organization_id,
        user_id,
        user_login as login,
        admission_seq
    from ranked
    where version_rank = 1
)

select * from final
