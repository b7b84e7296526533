{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='batch_id',
    indexes=[{'columns': ['landed_date']}, {'columns': ['admission_number']}],
) }}

{% if is_incremental() %}
    -- A batch changes when it is judged, and after that only by losing rows to retention. Judged, it has an admission
    -- above all that were seen, and admissions become visible in the order of their numbers; or it is refused, and has
    -- none, as those that wait have none: of these there are few, and all are looked at. Those that lost rows have an
    -- index of their own. So nothing is missed, whenever it was landed, and the batches of long ago are not read.
    with changed as (
        select batch_id
        from {{ ref('stg_ops__batches') }}
        where admission_seq > (select coalesce(max(known.admission_number), 0) from {{ this }} as known)

        union

        select batches.batch_id
        from {{ ref('stg_ops__batches') }} as batches
        left join {{ this }} as known
            on
                batches.batch_id = known.batch_id
                and batches.status = known.status
        where
            batches.admission_seq is null
            and known.batch_id is null

        union

        select batches.batch_id
        from {{ ref('stg_ops__batches') }} as batches
        inner join {{ this }} as known on batches.batch_id = known.batch_id
        where
            batches.pruned_count > 0
            and batches.pruned_count != known.pruned_count
    ),
{% else %}
    with changed as (
        select batch_id from {{ ref('stg_ops__batches') }}
    ),
{% endif %}

final as (
    select
        batches.batch_id,
        batches.source_name,
        batches.table_name,
        batches.status,
        {{ utc_date('batches.landed_at') }} as landed_date,
        batches.landed_at,
        batches.row_count,
        batches.quarantined_count,
        batches.deleted_count,
        batches.pruned_count,
        batches.size_bytes,
        batches.seconds,
        batches.is_complete,
        batches.admission_seq as admission_number
    from {{ ref('stg_ops__batches') }} as batches
    inner join changed on batches.batch_id = changed.batch_id
)

select * from final
