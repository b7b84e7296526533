-- What a batch came from, what it cost, and what the next extraction starts from.
alter table ops.batches
    add column origin jsonb not null default '[]',
    add column size_bytes bigint,
    add column seconds double precision,
    add column columns jsonb not null default '{}',
    add column content_hash text,
    add column is_complete boolean not null default false,
    add column is_changelog boolean not null default false,
    add column deleted_count bigint not null default 0,
    add column pruned_count bigint not null default 0,
    add column state jsonb;
comment on column ops.batches.origin is 'Where the rows came from: files, queries or requests, each with its rows; no secrets.';
comment on column ops.batches.size_bytes is 'Of the files read, else of the rows as they were extracted.';
comment on column ops.batches.seconds is 'From the first row extracted to the last row in raw.';
comment on column ops.batches.columns is 'Every column that came, with its type in raw; a column without a value has the type null.';
comment on column ops.batches.content_hash is 'SHA-256 of the extracted rows, in order; null for files, which have their own.';
comment on column ops.batches.is_complete is 'Whether the batch is the whole table as it was then: a key that is not in it is gone.';
comment on column ops.batches.is_changelog is 'Whether a later row of a key replaces an earlier one of the same batch.';
comment on column ops.batches.deleted_count is 'Rows appended to say that a key is gone; not part of row_count.';
comment on column ops.batches.pruned_count is 'Rows that retention has removed from raw since.';
comment on column ops.batches.state is 'Where the next extraction of the table starts.';

-- Each landing asks for the newest batches of its tables.
create index batches_by_table on ops.batches (source, table_name, batch_id);
