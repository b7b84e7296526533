{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='feature_id',
) }}

with used as (
    select
        feature_key,
        feature_id,
        max(usage_admission_seq) as admission_seq
    from {{ ref('fact_feature_usage') }}
    {% if is_incremental() %}
        where usage_admission_seq > (select coalesce(max(known.admission_seq), 0) from {{ this }} as known)
    {% endif %}
    group by feature_key, feature_id
),

final as (
    select
        feature_key,
        feature_id,
        feature_id as name,
        admission_seq
    from used
)

select * from final
