-- The log as a tree: logs, leaves, tiles, checkpoints (docs/decisions/0009). A person's own part of
-- the subject section; a record's number is given after its transaction's.

set role telecare_audit;

-- One log after another: a new one begins only when the last cannot be trusted to go on.
create table audit.log (
    tenant_id int not null references public.tenant,
    log int not null check (log > 0),
    origin text not null unique,
    first_entry bigint,              -- the record that opened it, when it follows another
    mark bigint not null default 0,  -- every entry up to this number is a leaf, or never was
    opened_at timestamptz not null,
    stopped_at timestamptz,          -- since when nothing is taken in or signed
    stopped_because jsonb,
    primary key (tenant_id, log)
);

create table audit.leaf (
    tenant_id int not null,
    log int not null,
    leaf_index bigint not null check (leaf_index >= 0),
    entry_id bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    primary key (tenant_id, log, leaf_index),
    unique (tenant_id, entry_id),
    foreign key (tenant_id, log) references audit.log (tenant_id, log),
    foreign key (tenant_id, entry_id) references audit.entry (tenant_id, entry_id)
);

-- Full tiles only; `root` stands in the tile above. The right edge follows from these and the leaves.
create table audit.tile (
    tenant_id int not null,
    log int not null,
    level int not null check (level between 0 and 7),
    n bigint not null check (n >= 0),
    hashes bytea not null check (octet_length(hashes) = 8192),
    root bytea not null check (octet_length(root) = 32),
    primary key (tenant_id, log, level, n),
    foreign key (tenant_id, log) references audit.log (tenant_id, log)
);
-- Hashes do not compress.
alter table audit.tile alter column hashes set storage external;

create table audit.checkpoint (
    tenant_id int not null,
    log int not null,
    size bigint not null check (size >= 0),
    root bytea not null check (octet_length(root) = 32),
    note text not null,
    signed_at timestamptz not null,
    primary key (tenant_id, log, size),
    foreign key (tenant_id, log) references audit.log (tenant_id, log)
);

-- Keys that have been announced in the log; none signs before its record is a leaf.
create table audit.log_key (
    tenant_id int not null references public.tenant,
    public_key bytea not null check (octet_length(public_key) = 32),
    entry_id bigint not null,
    primary key (tenant_id, public_key),
    foreign key (tenant_id, entry_id) references audit.entry (tenant_id, entry_id)
);

create trigger leaf_append_only before update or delete or truncate on audit.leaf
    for each statement execute function audit.refuse_change();
create trigger tile_append_only before update or delete or truncate on audit.tile
    for each statement execute function audit.refuse_change();
create trigger checkpoint_append_only before update or delete or truncate on audit.checkpoint
    for each statement execute function audit.refuse_change();
create trigger log_key_append_only before update or delete or truncate on audit.log_key
    for each statement execute function audit.refuse_change();

do $$
declare
    tree_table regclass;
begin
    foreach tree_table in array array[
        'audit.log', 'audit.leaf', 'audit.tile', 'audit.checkpoint', 'audit.log_key'
    ]::regclass[] loop
        perform audit.wall_table(tree_table);
        execute format(
            'create policy sequencer_of_all on %s for all to telecare_sequencer '
            'using (true) with check (true)',
            tree_table
        );
        execute format('grant select, insert on %s to telecare_sequencer', tree_table);
        execute format(
            'create policy reader_of_tenant on %s for select to telecare_reader '
            'using (tenant_id = public.app_tenant())',
            tree_table
        );
        execute format('grant select on %s to telecare_reader', tree_table);
    end loop;
end
$$;
grant update (mark, stopped_at, stopped_because) on audit.log to telecare_sequencer;

alter table audit.body add column persons text[];
comment on column audit.body.persons is
    'What the commitments in subject open to, in order; null in records from before this column.';

create or replace function audit.append(
    p_event text, p_actor text, p_persons uuid[], p_names text[], p_what text, p_basis text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_tenant int := public.app_tenant();
    -- Before the entry's number: the sequencer's mark relies on it.
    v_xid xid8 := pg_current_xact_id();
    v_at timestamptz := audit.at();
    v_seed bytea := sha256(
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    );
    v_persons text[] := '{}';
    v_commitments text[] := '{}';
    v_numbers bigint[] := '{}';
    v_ids uuid[] := '{}';
    v_subject text;
    v_entry bigint;
    v_number bigint;
    v_person record;
    v_document text;
begin
    if v_tenant is null then
        raise exception 'no tenant in this transaction' using errcode = 'insufficient_privilege';
    end if;
    for v_person in
        select p.id, p.name
        from unnest(p_persons, p_names) as p (id, name)
        order by p.id
    loop
        insert into audit.subject_counter as c (tenant_id, resident_id, n)
        values (v_tenant, v_person.id, 1)
        on conflict (tenant_id, resident_id) do update set n = c.n + 1
        returning n into v_number;
        v_document := format(
            '{"id":"%s","n":%s,"name":%s}', v_person.id, v_number, to_json(v_person.name)
        );
        v_commitments := v_commitments || format(
            '"%s"', audit.commitment('person/' || cardinality(v_ids), v_seed, v_document)
        );
        v_ids := v_ids || v_person.id;
        v_numbers := v_numbers || v_number;
        v_persons := v_persons || v_document;
    end loop;
    v_subject := '{"persons":[' || array_to_string(v_commitments, ',') || ']}';
    insert into audit.entry (tenant_id, recorded_at, xid, data)
    values (
        v_tenant, v_at, v_xid,
        convert_to(
            '{"at":"' || to_char(v_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
            || '","ev":"' || p_event
            || '","sd":{"actor":"' || audit.commitment('actor', v_seed, p_actor)
            || '","basis":"' || audit.commitment('basis', v_seed, p_basis)
            || '","subject":"' || audit.commitment('subject', v_seed, v_subject)
            || '","what":"' || audit.commitment('what', v_seed, p_what)
            || '"},"v":1}',
            'UTF8'
        )
    )
    returning entry_id into v_entry;
    insert into audit.body
        (entry_id, tenant_id, recorded_at, event, seed, actor, subject, what, basis, persons)
    values
        (v_entry, v_tenant, v_at, p_event, v_seed, p_actor, v_subject, p_what, p_basis, v_persons);
    insert into audit.subject_entry (tenant_id, resident_id, n, entry_id, recorded_at)
    select v_tenant, s.id, s.n, v_entry, v_at
    from unnest(v_ids, v_numbers) as s (id, n);
    return v_entry;
end
$$;
grant execute on function audit.append(text, text, uuid[], text[], text, text)
    to telecare_sequencer;

reset role;

-- How long the oldest record has waited to become a leaf, over all municipalities whose log goes on;
-- null: none waits. Envelopes hold no personal content.
do $$
declare
    tree_table regclass;
begin
    foreach tree_table in array array['audit.entry', 'audit.log', 'audit.leaf']::regclass[] loop
        execute format(
            'create policy waiting_of_all on %s for select to telecare_definer using (true)',
            tree_table
        );
        execute format('grant select on %s to telecare_definer', tree_table);
    end loop;
end
$$;
grant select on tenant to telecare_definer;
set role telecare_audit;
grant execute on function audit.at() to telecare_definer;
reset role;
create function log_longest_wait() returns interval
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select audit.at() - min(oldest.recorded_at)
    from public.tenant t
    cross join lateral (
        select coalesce(max(l.mark), 0) as mark
        from audit.log l
        where l.tenant_id = t.id
        having coalesce(bool_and(l.stopped_at is null or exists (
            select 1 from audit.log later where later.tenant_id = t.id and later.log > l.log
        )), true)
    ) done
    cross join lateral (
        select w.recorded_at
        from audit.entry w
        where w.tenant_id = t.id and w.entry_id > done.mark
            and not exists (
                select 1 from audit.leaf f
                where f.tenant_id = w.tenant_id and f.entry_id = w.entry_id
            )
        order by w.entry_id
        limit 1
    ) oldest
$$;
alter function log_longest_wait() owner to telecare_definer;
revoke execute on function log_longest_wait() from public;
grant execute on function log_longest_wait() to telecare_app;
