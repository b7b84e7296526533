{# Where a model is built: exactly the schema its folder says (staging, intermediate, marts), never a prefixed one. #}

{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name | trim if custom_schema_name else target.schema }}
{%- endmacro %}
