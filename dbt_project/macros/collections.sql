{# Lists that the platform's own ledger keeps in one column, as rows or as one text. #}

{#
    One row per item of the JSON arrays of a column: the key, `item_number` from 1, `item` as JSON text.

    Args:
        rows: The name of a relation.
        key: Its column that tells its rows apart.
        column: Its column with the arrays.
#}
{% macro json_array_items(rows, key, column) -%}
    {{ return(adapter.dispatch('json_array_items')(rows, key, column)) }}
{%- endmacro %}

{% macro postgres__json_array_items(rows, key, column) -%}
    select
        {{ rows }}.{{ key }},
        items.item_number,
        items.item
    from {{ rows }}
    cross join jsonb_array_elements_text({{ rows }}.{{ column }}) with ordinality as items (item, item_number)
{%- endmacro %}

{% macro redshift__json_array_items(rows, key, column) -%}
    select
        {{ rows }}.{{ key }},
        item_index + 1 as item_number,
        json_serialize(item) as item
    from {{ rows }}, {{ rows }}.{{ column }} as item at item_index
{%- endmacro %}

{% macro spark__json_array_items(rows, key, column) -%}
    select
        {{ rows }}.{{ key }},
        items.item_index + 1 as item_number,
        items.item
    from {{ rows }}
    lateral view posexplode(from_json({{ rows }}.{{ column }}, 'array<string>')) items as item_index, item
{%- endmacro %}

{# The texts of an array, with commas between them. #}
{% macro joined_texts(column) -%}
    {{ return(adapter.dispatch('joined_texts')(column)) }}
{%- endmacro %}

{% macro default__joined_texts(column) -%}
    array_to_string({{ column }}, ', ')
{%- endmacro %}

{% macro spark__joined_texts(column) -%}
    array_join({{ column }}, ', ')
{%- endmacro %}
