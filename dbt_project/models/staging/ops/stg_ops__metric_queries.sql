with queries as (
    select * from {{ source('ops', 'metric_queries') }}
    where {{ happened_by_then('asked_at') }}
),

final as (
    select
        query_id,
        asked_at,
        kind,
        organization_id,
        door,
        principal,
        {{ joined_texts('metrics') }} as metric_names,
        {{ joined_texts('group_by') }} as group_by_names,
        grain,
        snapshot_id,
        admission_seq,
        milliseconds,
        row_count,
        is_cache_hit,
        outcome
    from queries
)

select * from final
