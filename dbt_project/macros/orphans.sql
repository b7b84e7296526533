{#
    After fact_sessions is built: a correction may have moved the last action of a user to another organization, and the one
    it was wrongly in would go on reading who that was. Only users of replaced rows can be such, and every action lies in
    a session, so the index's first session of each tells, and history is not read for it.
#}
{% macro forget_users_without_actions() -%}
    {%- set replaced = replaced_rows('fact_user_actions') if execute and is_incremental() else none -%}
    {%- if replaced -%}
    delete from {{ ref('dim_users') }}
    where user_key in (
        select candidates.user_key
        from (
            select distinct corrected.user_key
            from {{ replaced }} as corrected
            inner join {{ ref('int_sessions_touched') }} as touched on corrected.user_key = touched.user_key
        ) as candidates
        where (
            select min(sessions.started_at)
            from {{ this }} as sessions
            where sessions.user_key = candidates.user_key
        ) is null
    )
    {%- elif not execute -%}
    -- depends on {{ ref('dim_users') }} {{ ref('int_sessions_touched') }}
    {%- endif -%}
{%- endmacro %}
