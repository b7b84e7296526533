{#
    Surrogate keys: the md5 of the natural key's parts. Parts are separated by the ASCII unit separator, which does not
    occur in identifiers, so that ('a-b', 'c') and ('a', 'b-c') have different keys.
#}

{% macro surrogate_key(columns) -%}
    md5(
        {%- for column in columns -%}
            {{ column }}{% if not loop.last %} || chr(31) || {% endif %}
        {%- endfor -%}
    )
{%- endmacro %}
