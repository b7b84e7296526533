{{ config(
    materialized='incremental',
    incremental_strategy='merge',
    unique_key='organization_key',
    on_schema_change='fail',
) }}

-- Versions are told apart in the order in which batches were admitted, so that one which came is never taken back. The
-- version in force is carried over from the last build; only batches that came since are read.
with landed as (
    select
        *,
        row_number() over (partition by account_id, admission_seq order by _row_number desc) as row_rank
    from {{ ref('stg_saas__account_versions') }}
    where
        account_id is not null
        {% if is_incremental() %}
            and admission_seq > (select coalesce(max(known.seen_admission_seq), 0) from {{ this }} as known)
        {% endif %}
),

stated as (
    select
        account_id as organization_id,
        industry,
        plan_id,
        seats,
        is_trial,
        admission_seq,
        admission_seq as seen_admission_seq,
        landed_at as stated_at,
        0 as versions_before
    from landed
    where row_rank = 1

    {% if is_incremental() %}
        union all

        select
            known.organization_id,
            known.industry,
            known.plan_id,
            known.seats,
            known.is_trial,
            known.admission_seq,
            known.seen_admission_seq,
            known.valid_from as stated_at,
            known.version_number - 1 as versions_before
        from {{ this }} as known
        where
            known.is_current
            and known.organization_id in (select landed.account_id from landed)
    {% endif %}
),

described as (
    select
        *,
        {{ surrogate_key([
            "coalesce(industry, '')",
            "coalesce(plan_id, '')",
            "coalesce(cast(seats as " ~ type_string() ~ "), '')",
            "case when is_trial then 'trial' when not is_trial then 'no trial' else '' end",
        ]) }} as description_hash
    from stated
),

compared as (
    select
        *,
        lag(description_hash) over (partition by organization_id order by admission_seq) as hash_before
    from described
),

numbered as (
    select
        *,
        max(versions_before) over (partition by organization_id)
        + sum(case when hash_before is null or hash_before != description_hash then 1 else 0 end) over (
            partition by organization_id order by admission_seq rows unbounded preceding
        ) as version_number
    from compared
),

versions as (
    select
        *,
        max(seen_admission_seq) over (partition by organization_id, version_number) as last_seen_admission_seq,
        row_number() over (partition by organization_id, version_number order by admission_seq) as statement_rank
    from numbered
),

-- Nothing is known of the time before the first landing, so the first version holds since ever. A batch that was
-- admitted after a later landed one cannot end a version before it began.
dated as (
    select
        organization_id,
        cast(version_number as {{ type_int() }}) as version_number,
        industry,
        plan_id,
        seats,
        is_trial,
        admission_seq,
        last_seen_admission_seq as seen_admission_seq,
        max(
            case
                when version_number = 1 then cast('1900-01-01 00:00:00+00' as {{ type_moment() }})
                else stated_at
            end
        ) over (
            partition by organization_id order by version_number rows unbounded preceding
        ) as valid_from
    from versions
    where statement_rank = 1
),

ended as (
    select
        *,
        lead(valid_from) over (partition by organization_id order by version_number) as valid_to
    from dated
),

final as (
    select
        case
            when version_number = 1 then {{ surrogate_key(['organization_id']) }}
            else {{ surrogate_key(['organization_id', 'cast(admission_seq as ' ~ type_string() ~ ')']) }}
        end as organization_key,
        organization_id,
        version_number,
        industry,
        plan_id,
        seats,
        is_trial,
        valid_from,
        valid_to,
        valid_to is null as is_current,
        {{ utc_date('valid_from') }} as first_date,
        coalesce({{ utc_date('valid_to') }}, cast('9999-12-31' as date)) as end_date,
        case when version_number = 1 then 0 else admission_seq end as admission_seq,
        seen_admission_seq
    from ended
)

select * from final
