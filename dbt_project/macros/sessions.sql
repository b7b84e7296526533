{# Before an incremental build puts them together again: the sessions that new, corrected or moved actions touch. #}
{% macro forget_touched_sessions() -%}
    {%- if execute and is_incremental() -%}
    {%- do touched_sessions_are_built() -%}
    delete from {{ this }} as known
    using {{ ref('int_sessions_touched') }} as touched
    where
        known.user_key = touched.user_key
        and known.started_at >= touched.from_at
        and known.started_at <= touched.to_at
        and known.session_date >= {{ utc_date('touched.from_at') }}
        and known.session_date <= {{ utc_date('touched.to_at') }}
    {%- elif not execute -%}
    -- depends on {{ ref('int_sessions_touched') }} {{ ref('stg_ops__batches') }}
    {%- endif -%}
{%- endmacro %}

{# Stops a build that would go past actions whose sessions nobody has looked for: it would not look for them again. #}
{% macro touched_sessions_are_built() -%}
    {%- if 'model.datainsight.int_sessions_touched' not in selected_resources -%}
        {%- set behind -%}
            select max(admission_seq)
            from {{ ref('fact_user_actions') }}
            where {{ not_yet_in('fact_sessions', ['github.events', 'platform.events']) }}
        {%- endset -%}
        {%- if run_query(behind).rows[0][0] is not none -%}
            {{ exceptions.raise_compiler_error(
                "fact_user_actions has actions that int_sessions_touched may not have seen, which is not among the"
                ~ " selected models; select +" ~ this.identifier
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
