{#
    Puts the tenant policy on the mart that was just built, in the transaction that builds it: whoever sees the new mart sees
    it with its rule. A mart that warehouse/policy.yaml does not know fails here, and with it its build. Engines other
    than PostgreSQL have doors of their own.
#}
{% macro protect() -%}
    {{ return(adapter.dispatch('protect')()) }}
{%- endmacro %}

{% macro default__protect() -%}
{%- endmacro %}

{% macro postgres__protect() -%}
    {%- if execute -%}
        {# Its readers get a view with the comments of the table, which dbt writes only after its hooks. #}
        {%- if this.schema.startswith('personal') -%}
            {%- do persist_docs(this.incorporate(type='table'), model) -%}
        {%- endif -%}
        select app.protect('{{ this.schema }}', '{{ this.identifier }}')
    {%- endif -%}
{%- endmacro %}
