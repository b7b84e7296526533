{# Before an incremental build puts them together again: the sessions that new, corrected or moved actions touch. #}
{% macro forget_touched_sessions() -%}
    {%- if execute and is_incremental() -%}
    delete from {{ this }} as known
    using {{ ref('int_sessions_touched') }} as touched
    where
        known.user_key = touched.user_key
        and known.started_at >= touched.from_at
        and known.started_at <= touched.to_at
        and known.session_date >= {{ utc_date('touched.from_at') }}
        and known.session_date <= {{ utc_date('touched.to_at') }}
    {%- elif not execute -%}
    -- depends on {{ ref('int_sessions_touched') }}
    {%- endif -%}
{%- endmacro %}
