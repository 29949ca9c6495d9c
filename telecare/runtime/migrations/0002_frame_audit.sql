-- Rows of the log: what audit.append writes, and what a Merkle tree is later built over.
-- Format: docs/decisions/0002; the exact bytes that were hashed are kept.

create schema audit authorization telecare_audit;
grant usage on schema audit to
    telecare_app, telecare_ingest, telecare_sequencer, telecare_reader, telecare_eraser,
    telecare_definer, telecare_owner;
set role telecare_audit;

-- The only clock of the log. Tests may replace it as superuser; nothing else may.
create function audit.at() returns timestamptz
language sql volatile
as $$ select clock_timestamp() $$;

-- The envelope: immutable, without personal content. leaf = sha256(0x00 || data), RFC 6962 §2.1.
create table audit.entry (
    entry_id bigint generated always as identity primary key,
    tenant_id int not null references public.tenant,
    recorded_at timestamptz not null,
    xid xid8 not null,
    data bytea not null check (octet_length(data) <= 65535),
    unique (tenant_id, entry_id)
);
create index entry_of_tenant on audit.entry (tenant_id, entry_id);

-- The sections and their seed: may be erased or dropped by partition without touching the proof.
create table audit.body (
    entry_id bigint not null,
    tenant_id int not null,
    recorded_at timestamptz not null,
    event text not null,
    seed bytea not null check (octet_length(seed) = 32),
    actor text not null,
    subject text not null,
    what text not null,
    basis text not null,
    actor_id text generated always as ((actor::jsonb) ->> 'id') stored,
    call_id text generated always as ((what::jsonb) ->> 'call_id') stored,
    primary key (entry_id, recorded_at),
    foreign key (tenant_id, entry_id) references audit.entry (tenant_id, entry_id)
) partition by range (recorded_at);
create index body_by_actor on audit.body (tenant_id, actor_id, recorded_at desc);
create index body_by_call on audit.body (tenant_id, call_id) where call_id is not null;
create index body_by_time on audit.body using brin (recorded_at);

-- Whom a record is about, with the running number that stands in its subject section.
create table audit.subject_entry (
    tenant_id int not null,
    resident_id uuid not null,
    n bigint not null,
    entry_id bigint not null,
    recorded_at timestamptz not null,
    primary key (tenant_id, resident_id, n),
    foreign key (tenant_id, entry_id) references audit.entry (tenant_id, entry_id)
);
create index subject_entry_of on audit.subject_entry (tenant_id, entry_id);

create table audit.subject_counter (
    tenant_id int not null references public.tenant,
    resident_id uuid not null,
    n bigint not null,
    primary key (tenant_id, resident_id)
);

create function audit.wall_table(p_table regclass) returns void
language plpgsql
as $$
begin
    execute format('alter table %s enable row level security', p_table);
    execute format('alter table %s force row level security', p_table);
end
$$;

do $$
declare
    log_table regclass;
begin
    foreach log_table in array array[
        'audit.entry', 'audit.body', 'audit.subject_entry', 'audit.subject_counter'
    ]::regclass[] loop
        perform audit.wall_table(log_table);
        execute format(
            'create policy append_only_here on %s for all to telecare_audit '
            'using (tenant_id = public.app_tenant()) with check (tenant_id = public.app_tenant())',
            log_table
        );
        execute format(
            'create policy reader_of_tenant on %s for select to telecare_reader '
            'using (tenant_id = public.app_tenant())',
            log_table
        );
        execute format('grant select on %s to telecare_reader', log_table);
    end loop;
end
$$;
create policy sequencer_reads on audit.entry for select to telecare_sequencer using (true);
grant select on audit.entry to telecare_sequencer;

create function audit.refuse_change() returns trigger
language plpgsql
as $$
begin
    raise exception 'the log is append only' using errcode = 'insufficient_privilege';
end
$$;
create trigger entry_append_only before update or delete or truncate on audit.entry
    for each statement execute function audit.refuse_change();
create trigger body_append_only before update or delete or truncate on audit.body
    for each statement execute function audit.refuse_change();
create trigger subject_entry_append_only before update or delete or truncate on audit.subject_entry
    for each statement execute function audit.refuse_change();

-- Monthly body partitions, made ahead. Idempotent; returns how many were made.
create function audit.make_partitions(p_months_ahead int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    first_day date := date_trunc('month', audit.at() at time zone 'UTC')::date;
    month_start date;
    partition_name text;
    made int := 0;
begin
    perform pg_advisory_xact_lock(hashtext('audit.make_partitions'));
    for i in -1 .. least(p_months_ahead, 24) loop
        month_start := (first_day + make_interval(months => i))::date;
        partition_name := 'body_' || to_char(month_start, 'YYYY_MM');
        if to_regclass('audit.' || partition_name) is null then
            execute format(
                'create table audit.%I partition of audit.body for values from (%L) to (%L)',
                partition_name,
                month_start::timestamp at time zone 'UTC',
                (month_start + interval '1 month') at time zone 'UTC'
            );
            perform audit.wall_table(format('audit.%I', partition_name)::regclass);
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

create function audit.base64url(p_bytes bytea) returns text
language sql immutable strict parallel safe
as $$ select translate(rtrim(replace(encode(p_bytes, 'base64'), E'\n', ''), '='), '+/', '-_') $$;

-- One section's commitment: sha256(name 0x00 || sha256("salt" 0x00 name 0x00 seed) || document).
create function audit.commitment(p_name text, p_seed bytea, p_document text) returns text
language sql immutable strict parallel safe
as $$
    select audit.base64url(sha256(
        p_name::bytea || '\x00'::bytea
        || sha256('salt'::bytea || '\x00'::bytea || p_name::bytea || '\x00'::bytea || p_seed)
        || convert_to(p_document, 'UTF8')
    ))
$$;

-- Enter one record in the log of this transaction's tenant. The last thing a transaction does:
-- it takes the running number of every person named, in order of id, so that two never deadlock.
create function audit.append(
    p_event text, p_actor text, p_persons uuid[], p_names text[], p_what text, p_basis text
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_tenant int := public.app_tenant();
    v_at timestamptz := audit.at();
    v_seed bytea := sha256(
        uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
    );
    v_persons text[] := '{}';
    v_numbers bigint[] := '{}';
    v_ids uuid[] := '{}';
    v_subject text;
    v_entry bigint;
    v_number bigint;
    v_person record;
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
        v_ids := v_ids || v_person.id;
        v_numbers := v_numbers || v_number;
        v_persons := v_persons || format(
            '{"id":"%s","n":%s,"name":%s}', v_person.id, v_number, to_json(v_person.name)
        );
    end loop;
    v_subject := '{"persons":[' || array_to_string(v_persons, ',') || ']}';
    insert into audit.entry (tenant_id, recorded_at, xid, data)
    values (
        v_tenant, v_at, pg_current_xact_id(),
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
        (entry_id, tenant_id, recorded_at, event, seed, actor, subject, what, basis)
    values (v_entry, v_tenant, v_at, p_event, v_seed, p_actor, v_subject, p_what, p_basis);
    insert into audit.subject_entry (tenant_id, resident_id, n, entry_id, recorded_at)
    select v_tenant, s.id, s.n, v_entry, v_at
    from unnest(v_ids, v_numbers) as s (id, n);
    return v_entry;
end
$$;
revoke execute on all functions in schema audit from public;
grant execute on function audit.append(text, text, uuid[], text[], text, text)
    to telecare_app, telecare_ingest, telecare_definer;
grant execute on function audit.make_partitions(int) to telecare_app, telecare_owner;
reset role;

-- The actor of this transaction, for triggers; a change typed into psql names its login role.
create function app_actor() returns text
language sql stable
as $$
    select coalesce(
        nullif(current_setting('app.actor', true), ''),
        '{"channel":"psql","id":' || to_json('psql:' || session_user)::text
        || ',"kind":"database_login"}'
    )
$$;
