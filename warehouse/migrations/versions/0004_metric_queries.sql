-- Which questions were asked of the metrics, so that the platform can report on itself. Not what was answered, and no value
-- of a filter: those may be somebody's name.
create table ops.metric_queries (
    query_id bigint generated always as identity primary key,
    asked_at timestamptz not null,
    organization_id text,
    metrics text[] not null,
    group_by text[] not null,
    grain text,
    snapshot_id bigint,
    admission_seq bigint,
    milliseconds double precision not null,
    row_count bigint,
    is_cache_hit boolean,
    outcome text not null check (outcome in ('answered', 'failed'))
);
comment on table ops.metric_queries is 'One row per question that was asked of the metrics.';
comment on column ops.metric_queries.organization_id is 'Whose rows it was asked of; null for everybody''s.';
comment on column ops.metric_queries.snapshot_id is 'The snapshot that answered; null when there was none.';
comment on column ops.metric_queries.admission_seq is 'The newest admission behind that snapshot.';
comment on column ops.metric_queries.milliseconds is 'From the question to the answer, or to the error.';
comment on column ops.metric_queries.row_count is 'Rows of the answer; null without one.';
comment on column ops.metric_queries.outcome is '`failed` when the question got an error for an answer.';

grant select, insert on ops.metric_queries to api;
grant select on ops.metric_queries to transformer;

-- Of a table of files without a key, the newest version of each file is what counts, and only the ledger knows the files.
grant select on ops.files to transformer;

-- Which batches lost rows to retention since they were judged; the others never change again.
create index batches_pruned on ops.batches (batch_id) include (pruned_count) where pruned_count > 0;
