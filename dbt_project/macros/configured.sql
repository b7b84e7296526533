{# Whether a source is landed here at all; the models of the others are left out. The var `sources` names those that are. #}
{% macro configured(source_name) -%}
    {{ return(source_name in var('sources')) }}
{%- endmacro %}
