{#
    The rows of a dimension that are new or different. A dimension is small, and made from all that names its members each
    time; writing only what changed keeps the table itself, with the keys that point at it, and everything built upon it.

    Args:
        relation: The name of the relation with all rows; its columns stand in the order of the model's contract.
#}
{% macro changed_rows(relation) -%}
    select * from {{ relation }}
    {%- if is_incremental() %}
    except
    select * from {{ this }}
    {%- endif %}
{%- endmacro %}
