{# The type of a moment in time, with its zone where the engine keeps one. #}
{% macro type_moment() -%}
    {{ return(adapter.dispatch('type_moment')()) }}
{%- endmacro %}

{% macro default__type_moment() -%}
    timestamp with time zone
{%- endmacro %}

{% macro spark__type_moment() -%}
    timestamp
{%- endmacro %}
