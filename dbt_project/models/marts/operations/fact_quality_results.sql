{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key=['batch_id', 'check_number'],
    indexes=[{'columns': ['landed_date']}, {'columns': ['admission_seq']}],
) }}

-- Once a batch is judged its checks stay as they are, so each judged batch is read once: those admitted since, and
-- those refused that are not here yet. Only batches that fact_batches has are taken, so that none is missing there.
with judged as (
    select
        batch_id,
        source_name,
        table_name,
        status as batch_status,
        landed_date,
        landed_at,
        admission_number as admission_seq
    from {{ ref('fact_batches') }}
    where status != 'landed'
),

arrived as (
    {% if is_incremental() %}
        select *
        from judged
        where admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)

        union all

        select judged.*
        from judged
        left join {{ this }} as known
            on
                judged.batch_id = known.batch_id
                and known.check_number = 1
        where
            judged.admission_seq is null
            and known.batch_id is null
    {% else %}
        select * from judged
    {% endif %}
),

ledger as (
    select
        batches.batch_id,
        batches.checks
    from {{ ref('stg_ops__batches') }} as batches
    inner join arrived on batches.batch_id = arrived.batch_id
),

items as (
    {{ json_array_items('ledger', 'batch_id', 'checks') }}
),

final as (
    select
        arrived.batch_id,
        cast(items.item_number as integer) as check_number,
        arrived.source_name,
        arrived.table_name,
        arrived.batch_status,
        {{ json_text('items.item', 'name') }} as check_name,
        {{ json_text('items.item', 'description') }} as description,
        {{ json_text('items.item', 'severity') }} as severity,
        {{ json_text('items.item', 'owner') }} as owner,
        {{ json_text('items.item', 'status') }} as outcome,
        coalesce(cast({{ json_text('items.item', 'failed_rows') }} as {{ type_bigint() }}), 0) as failed_rows,
        {{ json_text('items.item', 'detail') }} as detail,
        arrived.landed_date,
        arrived.landed_at,
        arrived.admission_seq
    from items
    inner join arrived on items.batch_id = arrived.batch_id
)

select * from final
