{#
    Every row of the newest admission has its member in the dimension. A foreign key would look up each row while it is
    written, which a fact of many rows cannot afford; older rows were tested when they were the newest.
#}
{% test newest_rows_have_member(model, column_name, to, key, watermark) %}
select facts.{{ column_name }}
from {{ model }} as facts
left join {{ to }} as members
    on facts.{{ column_name }} = members.{{ key }}
where
    facts.{{ watermark }} = (select max({{ watermark }}) from {{ model }})
    and members.{{ key }} is null
{% endtest %}
