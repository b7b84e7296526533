-- The log has every call of the metrics now, also those that ask for no rows; until now it had questions alone.
alter table ops.metric_queries add kind text not null default 'query'
    check (kind in ('query', 'values', 'explain', 'list'));
comment on column ops.metric_queries.kind is
    'What was wanted: an answer (`query`), the `values` of a dimension, where an answer comes from (`explain`), or what metrics there are (`list`).';
comment on table ops.metric_queries is 'One row per call of the metrics.';
