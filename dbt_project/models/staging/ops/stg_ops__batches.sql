-- Of a state of the past: the batches it stands on, and those that had landed by then without being admitted. What was
-- admitted since was still waiting; when a batch was refused nobody wrote down, so a refused one was.
with batches as (
    select * from {{ source('ops', 'batches') }}
    where {{ known_then() }} or {{ happened_by_then('landed_at') }}
),

final as (
    select
        batch_id,
        source as source_name,
        table_name,
        load_id,
        case when admission_seq is null or {{ known_then() }} then status else 'landed' end as status,
        case when {{ known_then() }} then admission_seq end as admission_seq,
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
