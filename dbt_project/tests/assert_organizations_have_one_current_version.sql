-- Of each organization one version is current, its versions are counted through, and none overlaps the next.
with versions as (
    select
        organization_id,
        version_number,
        is_current,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by organization_id order by version_number) as next_valid_from
    from {{ ref('dim_organizations') }}
)

select organization_id
from versions
group by organization_id
having
    sum(case when is_current then 1 else 0 end) != 1
    or max(version_number) != count(*)
    or sum(case when valid_to = next_valid_from or (valid_to is null and next_valid_from is null) then 0 else 1 end) > 0
