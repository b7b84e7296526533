{#
    Where a model is built: exactly the schema its folder says (staging, intermediate, marts), never a prefixed one, and
    for a state of the past beside it.
#}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {%- set name = custom_schema_name | trim if custom_schema_name else target.schema -%}
    {{ name if node.resource_type == 'seed' else name ~ as_of_suffix() }}
{%- endmacro %}
