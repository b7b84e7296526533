{#
    What follows when a mart has been built, in the transaction that builds it, and as one statement: to send one costs dbt
    more than most of them cost the server. Engines other than PostgreSQL have ways of their own.
#}
{% macro finish_mart() -%}
    {{ return(adapter.dispatch('finish_mart')()) }}
{%- endmacro %}

{% macro default__finish_mart() -%}
{%- endmacro %}

{# Keys are called after the table that they were made with, which has taken the place and the name of another. #}
{% macro postgres__finish_mart() -%}
    {%- if execute -%}
        {{ protect() }};
        select ops.name_constraints('{{ this }}');
        {{ move_saved_queries() }};
        {{ renew_statistics() }}
    {%- endif -%}
{%- endmacro %}
