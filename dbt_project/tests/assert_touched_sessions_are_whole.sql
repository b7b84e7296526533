-- No session reaches over the beginning of a stretch that a build has put together again: it would be there in two pieces.
{{ config(enabled=configured('github') or configured('platform')) }}

select sessions.session_id
from {{ ref('int_sessions_touched') }} as touched
inner join {{ ref('fact_sessions') }} as sessions
    on
        touched.user_key = sessions.user_key
        and sessions.started_at < touched.from_at
        and sessions.started_at >= {{ dateadd('day', -1, 'touched.from_at') }}
        and sessions.ended_at >= touched.from_at
        and sessions.session_date >= {{ dateadd('day', -1, utc_date('touched.from_at')) }}
        and sessions.session_date <= {{ utc_date('touched.from_at') }}
