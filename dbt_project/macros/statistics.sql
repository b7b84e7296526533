{# A query planned on the statistics of an empty table is slow until the server looks by itself. #}
{% macro renew_statistics() -%}
    {%- if config.get('partition_by') -%}
        select ops.renew_partition_statistics('{{ this }}')
    {%- else -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
