with batches as (
    select * from {{ source('ops', 'batches') }}
    where {{ known_then() }}
),

final as (
    select
        batch_id,
        source as source_name,
        table_name,
        status,
        admission_seq,
        landed_at,
        row_count,
        quarantined_count,
        deleted_count,
        pruned_count,
        size_bytes,
        seconds,
        is_complete,
        checks
    from batches
)

select * from final
