{#
    Every row that was not published before has its member in the dimension. A foreign key would look up each row while it
    is written, which a fact of many rows cannot afford.
#}
{% test new_rows_have_member(model, column_name, to, key) %}
select facts.{{ column_name }}
from {{ model }} as facts
left join {{ to }} as members
    on facts.{{ column_name }} = members.{{ key }}
where
    {{ not_yet_published('facts.admission_seq') }}
    and members.{{ key }} is null
{% endtest %}
