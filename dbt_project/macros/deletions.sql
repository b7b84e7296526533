{#
    Before an incremental fact takes what is new: removes the rows that their source no longer has. One that has come back
    since is written again right after, in the same transaction.

    Args:
        rows: The relation of all admitted versions, with `is_deleted`.
        key: The column of both that tells rows apart.
#}
{% macro forget_deleted(rows, key) -%}
    {%- if is_incremental() -%}
    delete from {{ this }}
    where {{ key }} in (
        select deletions.{{ key }}
        from {{ rows }} as deletions
        where
            deletions.is_deleted
            and deletions.admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    )
    {%- endif -%}
{%- endmacro %}
