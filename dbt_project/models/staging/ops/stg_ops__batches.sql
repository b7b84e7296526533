with batches as (
    select * from {{ source('ops', 'batches') }}
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
        quarantined_count
    from batches
)

select * from final
