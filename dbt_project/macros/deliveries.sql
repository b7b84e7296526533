{#
    Which delivery a row came in, for tables of files without a key. Nothing in such a row tells it from another, and a file
    that changed is landed again as a whole, so a row counts only while its file, by its path, has no newer version.
#}

{#
    The deliveries of one landed table: each file of its admitted batches, or the batch itself where it has no files.
    `delivery_key` is the same for all versions of a file, and for all copies of a table that comes whole each time;
    `is_newest` says whether none was admitted later; `first_row_number` is null for a file without rows.

    Args:
        source_name: The source, whose schema is `raw_<source_name>`.
        table_name: The table in that schema.
#}
{% macro landed_deliveries(source_name, table_name) %}
{%- set files_of_admitted_batches -%}
    select
        batch.admission_seq,
        batch.batch_id,
        case
            when file.path is not null then file.path
            when batch.is_complete then 'complete copy'
            else 'batch ' || cast(batch.batch_id as {{ type_string() }})
        end as delivery,
        case when file.path is null then 1 else file.first_row_number end as first_row_number
    from {{ source('ops', 'batches') }} as batch
    left join {{ source('ops', 'files') }} as file on batch.batch_id = file.batch_id
    where
        batch.source = '{{ source_name }}'
        and batch.table_name = '{{ table_name }}'
        and batch.status = 'admitted'
        and batch.admission_seq <= {{ last_admission(source_name, table_name) }}
        and batch.admission_seq >= {{ first_admission_that_counts(source_name, table_name) }}
{%- endset -%}
select
    delivered.admission_seq,
    delivered.batch_id,
    {{ surrogate_key(['delivered.delivery']) }} as delivery_key,
    delivered.first_row_number,
    delivered.admission_seq = newest.admission_seq as is_newest
from (
    {{ files_of_admitted_batches }}
) as delivered
inner join (
    select
        delivery,
        max(admission_seq) as admission_seq
    from (
        {{ files_of_admitted_batches }}
    ) as every_version
    group by delivery
) as newest
    on delivered.delivery = newest.delivery
{% endmacro %}

{#
    Rows with the `delivery_key` and `is_newest` of the delivery they came in. The rows of a batch are numbered file after
    file, so a row belongs to the file that begins at or before it. Rows and beginnings are put in one order and gone
    through once: a join on a range, or one whose size nobody can estimate, would read every row for every other.

    Args:
        rows: The name of a relation with `batch_id` and `_row_number`.
        deliveries: The name of the relation that `landed_deliveries` gave.
        columns: The names of the columns of `rows` to keep beside these two.
#}
{% macro with_delivery(rows, deliveries, columns) %}
select
    batch_id,
    _row_number,
    {%- for name in columns %}
    {{ name }},
    {%- endfor %}
    delivery_key,
    newest_mark = 1 as is_newest
from (
    select
        batch_id,
        _row_number,
        {%- for name in columns %}
        {{ name }},
        {%- endfor %}
        begins,
        max(delivery_key) over (partition by batch_id, delivery_number) as delivery_key,
        max(newest_mark) over (partition by batch_id, delivery_number) as newest_mark
    from (
        select
            *,
            sum(begins) over (
                partition by batch_id order by _row_number, begins desc rows unbounded preceding
            ) as delivery_number
        from (
            select
                batch_id,
                _row_number,
                {%- for name in columns %}
                {{ name }},
                {%- endfor %}
                0 as begins,
                cast(null as {{ type_string() }}) as delivery_key,
                cast(null as {{ type_int() }}) as newest_mark
            from {{ rows }}

            union all

            select
                batch_id,
                first_row_number as _row_number,
                {%- for name in columns %}
                null as {{ name }},
                {%- endfor %}
                1 as begins,
                delivery_key,
                case when is_newest then 1 else 0 end as newest_mark
            from {{ deliveries }}
            where first_row_number is not null
        ) as rows_and_beginnings
    ) as numbered
) as placed
where begins = 0
{% endmacro %}

{#
    Before an incremental fact takes what is new: removes its rows of files that have come again. What the file now says
    is written right after, in the same transaction; of a file that has no rows any more, nothing is. When every delivery
    that counts is new, a complete copy has come, and whatever came before it, by whatever way, is no longer so.
#}
{% macro forget_replaced_deliveries(deliveries) -%}
    {%- if is_incremental() -%}
    {%- set taken -%}
        (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {%- endset -%}
    {%- set all_are_new -%}
        select min(deliveries.admission_seq) > {{ taken }} as all_are_new
        from {{ deliveries }} as deliveries
    {%- endset -%}
    delete from {{ this }}
    {%- if not (asks_database() and run_query(all_are_new).rows[0][0]) %}
    where delivery_key in (
        select deliveries.delivery_key
        from {{ deliveries }} as deliveries
        where deliveries.admission_seq > {{ taken }}
    )
    {%- endif %}
    {%- endif -%}
{%- endmacro %}
