{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='query_id',
    indexes=[{'columns': ['organization_id', 'asked_date']}],
    pre_hook="{{ move_to_organization_versions('asked_date') }}",
) }}

-- Calls are never changed and have no admission, so their numbers tell new ones. A number is given before its row
-- can be seen: one that was being written while the last build looked is found among the last thousand numbers before.
with queries as (
    select stated.*
    from {{ ref('stg_ops__metric_queries') }} as stated
    {% if is_incremental() %}
        left join {{ this }} as known on stated.query_id = known.query_id
        where
            stated.query_id > (select coalesce(max(newest.query_id), 0) - 1000 from {{ this }} as newest)
            and known.query_id is null
    {% endif %}
),

attributed as (
    select
        *,
        coalesce(organization_id, '(operator)') as asked_for,
        coalesce(admission_seq, 0) as answered_admission_seq,
        {{ utc_date('asked_at') }} as asked_date
    from queries
),

final as (
    select
        attributed.query_id,
        case
            when attributed.organization_id is not null then {{ organization_key('attributed.organization_id') }}
        end as organization_key,
        attributed.asked_for as organization_id,
        attributed.asked_date,
        attributed.asked_at,
        attributed.kind,
        attributed.door,
        attributed.principal,
        attributed.metric_names,
        attributed.group_by_names,
        attributed.grain,
        attributed.outcome,
        attributed.row_count,
        attributed.milliseconds,
        attributed.is_cache_hit,
        attributed.snapshot_id,
        attributed.answered_admission_seq as admission_seq
    from attributed
    {{ join_organization_version('attributed.asked_for', 'attributed.asked_date') }}
)

select * from final
