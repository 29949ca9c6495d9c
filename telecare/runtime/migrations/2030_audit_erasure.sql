-- Erasure, retention and holds of what the log's records say (docs/decisions/0013). Texts go only
-- through audit.erase and audit.drop_month, which enter the record of it in the same statement.

-- Bevarandestopp: proposed by one, approved by another; lifted the same way. It holds from the
-- proposal on, for what is gone cannot be brought back.
create table log_hold (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid,
    event text check (event <> ''),
    since timestamptz,
    until timestamptz,
    reason text not null check (length(reason) between 1 and 500),
    decision text not null check (length(decision) between 1 and 200),
    proposed_by uuid not null,
    proposed_at timestamptz not null,
    approved_by uuid,
    approved_at timestamptz,
    declined_by uuid,
    declined_at timestamptz,
    lift_reason text check (length(lift_reason) between 1 and 500),
    lift_proposed_by uuid,
    lift_proposed_at timestamptz,
    lifted_by uuid,
    lifted_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, proposed_by) references staff (tenant_id, id),
    foreign key (tenant_id, approved_by) references staff (tenant_id, id),
    foreign key (tenant_id, declined_by) references staff (tenant_id, id),
    foreign key (tenant_id, lift_proposed_by) references staff (tenant_id, id),
    foreign key (tenant_id, lifted_by) references staff (tenant_id, id),
    constraint hold_names_something check (num_nonnulls(resident_id, event, since, until) > 0),
    constraint hold_ends_after_its_start check (until > since),
    constraint hold_takes_two check (approved_by <> proposed_by),
    constraint hold_lift_takes_two check (lifted_by <> lift_proposed_by),
    constraint hold_is_decided_once check (num_nonnulls(approved_by, declined_by) < 2),
    constraint hold_is_lifted_after_approval check (
        (lift_proposed_by is null or approved_by is not null)
        and (lifted_by is null or lift_proposed_by is not null)
    ),
    constraint hold_times check (
        (approved_by is null) = (approved_at is null)
        and (declined_by is null) = (declined_at is null)
        and (lift_proposed_by is null) = (lift_proposed_at is null)
        and (lift_proposed_by is null) = (lift_reason is null)
        and (lifted_by is null) = (lifted_at is null)
    )
);
select wall('log_hold');
create index log_hold_in_force on log_hold (tenant_id) where lifted_at is null and declined_at is null;
grant select, insert on log_hold to telecare_app;
grant update (
    approved_by, approved_at, declined_by, declined_at,
    lift_reason, lift_proposed_by, lift_proposed_at, lifted_by, lifted_at
) on log_hold to telecare_app;
do $$
declare
    login text;
begin
    foreach login in array array['telecare_audit', 'telecare_reader'] loop
        execute format(
            'create policy %I on log_hold for select to %I using (tenant_id = app_tenant())',
            'holds_for_' || login, login
        );
        execute format('grant select on log_hold to %I', login);
    end loop;
end
$$;
grant select on tenant to telecare_audit, telecare_eraser;

set role telecare_audit;

-- For how many years a municipality keeps the texts; without a row nothing falls by itself.
create table audit.retention (
    tenant_id int not null references public.tenant,
    valid_from timestamptz not null,
    years int not null constraint retention_is_five_years_at_least check (years between 5 and 100),
    decision text not null check (length(decision) between 1 and 200),
    law text not null check (length(law) between 1 and 200),
    decided_by text not null check (length(decided_by) between 1 and 200),
    done_by text not null check (length(done_by) between 1 and 200),
    set_at timestamptz not null,
    primary key (tenant_id, valid_from),
    constraint retention_takes_two check (lower(decided_by) <> lower(done_by))
);
create trigger retention_append_only before update or delete or truncate on audit.retention
    for each statement execute function audit.refuse_change();
select audit.wall_table('audit.retention');
do $$
declare
    login text;
begin
    foreach login in array array['telecare_audit', 'telecare_reader', 'telecare_eraser'] loop
        execute format(
            'create policy %I on audit.retention for select to %I '
            'using (tenant_id = public.app_tenant())',
            'retention_for_' || login, login
        );
        execute format('grant select on audit.retention to %I', login);
    end loop;
end
$$;
create policy eraser_sets on audit.retention for insert to telecare_eraser
    with check (tenant_id = public.app_tenant());
grant insert on audit.retention to telecare_eraser;

-- The owner of the functions below reads places in the tree.
create policy of_tenant on audit.leaf for select to telecare_audit
    using (tenant_id = public.app_tenant());

-- And entries of all, which hold no personal content, where no tenant was set: PostgreSQL compares a
-- month's table with them as it is put back, under its owner's walls.
create policy of_all_to_compare on audit.entry for select to telecare_audit
    using (public.app_tenant() is null);

-- Records of erasures are looked up often, and are few.
create index body_erasures on audit.body (tenant_id, entry_id) where event = 'record.erased';

-- In normal mode nobody deletes a text but the eraser's login, which has no right to the table: it
-- comes to it by the functions here and by nothing else.
create function audit.refuse_all_but_erasure() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'DELETE' and session_user = 'telecare_eraser' and current_user = 'telecare_audit' then
        return null;
    end if;
    raise exception 'the log is append only' using errcode = 'insufficient_privilege';
end
$$;
drop trigger body_append_only on audit.body;
create trigger body_append_only before update or delete or truncate on audit.body
    for each statement execute function audit.refuse_all_but_erasure();

-- A trigger of the parent is not asked when a partition is named.
create function audit.wall_partition(p_table regclass) returns void
language plpgsql
as $$
begin
    perform audit.wall_table(p_table);
    execute format(
        'create trigger body_append_only before update or delete or truncate on %s '
        'for each statement execute function audit.refuse_change()',
        p_table
    );
end
$$;
do $$
declare
    month_table regclass;
begin
    for month_table in
        select inhrelid::regclass from pg_inherits where inhparent = 'audit.body'::regclass
    loop
        perform audit.wall_partition(month_table);
    end loop;
end
$$;

create or replace function audit.make_partitions(p_months_ahead int) returns int
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
            perform audit.wall_partition(format('audit.%I', partition_name)::regclass);
            made := made + 1;
        end if;
    end loop;
    return made;
end
$$;

-- What a record is held by, if by anything.
create function audit.hold_of(p_entry bigint, p_at timestamptz, p_event text) returns uuid
language sql stable
as $$
    select h.id from public.log_hold h
    where h.tenant_id = public.app_tenant() and h.lifted_at is null and h.declined_at is null
        and (h.event is null or h.event = p_event)
        and (h.since is null or p_at >= h.since)
        and (h.until is null or p_at < h.until)
        and (h.resident_id is null or exists (
            select 1 from audit.subject_entry s
            where s.tenant_id = h.tenant_id and s.resident_id = h.resident_id
                and s.entry_id = p_entry
        ))
    order by h.approved_at nulls last, h.proposed_at, h.id
    limit 1
$$;

-- The records of an erasure in one log: leaves as ranges, at most 500 of them in a record.
create function audit.enter_erasure(
    p_kind text, p_log int, p_leaves bigint[], p_decision text, p_law text, p_decided_by text,
    p_done_by text, p_actor text, p_more json
) returns int
language plpgsql
as $$
declare
    v_part record;
    v_what text;
    v_entered int := 0;
begin
    for v_part in
        select string_agg(format('[%s,%s]', r.first, r.last), ',' order by r.first) as ranges,
            sum(r.records) as records
        from (
            select min(i.leaf) as first, max(i.leaf) as last, count(*) as records,
                (row_number() over (order by min(i.leaf)) - 1) / 500 as part
            from (
                select leaf, leaf - row_number() over (order by leaf) as island
                from unnest(p_leaves) leaf
            ) i
            group by i.island
        ) r
        group by r.part
        order by r.part
    loop
        -- Sorted keys, as every text of the log.
        select '{' || string_agg(format('%s:%s', to_json(k.key), k.value), ',' order by k.key collate "C")
            || '}'
        into v_what
        from (
            select key, value from json_each(json_build_object(
                'decided_by', p_decided_by, 'decision', p_decision, 'done_by', p_done_by,
                'kind', p_kind, 'leaves', format('[%s]', v_part.ranges)::json, 'log', p_log,
                'records', v_part.records
            ))
            union all
            select key, value from json_each(p_more)
        ) k;
        perform audit.append(
            'record.erased', p_actor, '{}', '{}', v_what,
            format('{"decision":%s,"law":%s}', to_json(p_decision), to_json(p_law))
        );
        v_entered := v_entered + 1;
    end loop;
    return v_entered;
end
$$;

-- Erase the texts at these places of one log, or none of them: `outcome` is then why, of the first
-- place that cannot be erased.
create function audit.erase(
    p_kind text, p_log int, p_first bigint[], p_last bigint[], p_decision text, p_law text,
    p_decided_by text, p_done_by text, p_actor text
) returns table (outcome text, leaf bigint, hold uuid, records bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_tenant int := public.app_tenant();
    v_leaves bigint[];
    v_entries bigint[];
    v_times timestamptz[];
begin
    if v_tenant is null then
        raise exception 'no tenant in this transaction' using errcode = 'insufficient_privilege';
    end if;
    if p_kind not in ('records', 'again') or trim(p_decision) = '' or trim(p_law) = ''
        or trim(p_decided_by) = '' or trim(p_done_by) = ''
        or lower(trim(p_decided_by)) = lower(trim(p_done_by))
    then
        raise exception 'an erasure takes a decision and two people' using errcode = 'check_violation';
    end if;
    if (select coalesce(sum(l - f + 1), 0) from unnest(p_first, p_last) as r (f, l))
        not between 1 and 100000
    then
        raise exception 'between 1 and 100000 records' using errcode = 'check_violation';
    end if;
    perform pg_advisory_xact_lock(hashtext('audit.erase'));
    return query
        select x.why, x.leaf_index, x.held_by, 0::bigint
        from (
            select g.leaf_index, e.held_by,
                case
                    when f.entry_id is null then 'not_there'
                    when convert_from(n.data, 'UTF8')::jsonb ->> 'ev'
                        ~ '^(record\.erased|extract\.issued|retention\.set|hold\..*|'
                            'log\.(key_added|reopened|stopped))$'
                        then 'is_a_decision'
                    when b.entry_id is null then 'erased_before'
                    when e.held_by is not null then 'held'
                end as why
            from unnest(p_first, p_last) as r (f, l)
            cross join lateral generate_series(r.f, r.l) as g (leaf_index)
            left join audit.leaf f on f.tenant_id = v_tenant and f.log = p_log
                and f.leaf_index = g.leaf_index
            left join audit.entry n on n.tenant_id = v_tenant and n.entry_id = f.entry_id
            left join audit.body b on b.tenant_id = v_tenant and b.entry_id = f.entry_id
                and b.recorded_at = n.recorded_at
            left join lateral (
                select audit.hold_of(b.entry_id, b.recorded_at, b.event) as held_by
                where b.entry_id is not null
            ) e on true
        ) x
        where x.why is not null
        order by x.leaf_index
        limit 1;
    if found then
        return;
    end if;
    select array_agg(d.leaf_index order by d.leaf_index), array_agg(d.entry_id),
        array_agg(d.recorded_at)
    into v_leaves, v_entries, v_times
    from (
        select distinct f.leaf_index, n.entry_id, n.recorded_at
        from unnest(p_first, p_last) as r (f, l)
        join audit.leaf f on f.tenant_id = v_tenant and f.log = p_log
            and f.leaf_index between r.f and r.l
        join audit.entry n on n.tenant_id = v_tenant and n.entry_id = f.entry_id
    ) d;
    perform audit.enter_erasure(
        p_kind, p_log, v_leaves, p_decision, p_law, p_decided_by, p_done_by, p_actor, '{}'
    );
    delete from audit.body b
    using unnest(v_entries, v_times) as gone (entry_id, recorded_at)
    where b.tenant_id = v_tenant and b.entry_id = gone.entry_id
        and b.recorded_at = gone.recorded_at;
    return query select 'erased', null::bigint, null::uuid, cardinality(v_leaves)::bigint;
end
$$;

-- Months whose texts may fall: older than anybody's least time.
create function audit.old_months(p_now timestamptz) returns setof date
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select to_date(substr(c.relname, 6), 'YYYY_MM') as month
    from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'audit.body'::regclass and c.relname ~ '^body_\d{4}_\d{2}$'
        and (to_date(substr(c.relname, 6), 'YYYY_MM') + interval '1 month')::timestamp
            at time zone 'UTC' <= least(p_now, audit.at()) - interval '5 years'
    order by month
$$;

-- Let a month's texts fall, of every municipality whose years are over: what stays (others' texts,
-- held ones, the log's own decisions) is copied out, and the old table is dropped. Returns how many
-- texts fell.
create function audit.drop_month(p_month date, p_now timestamptz, p_actor text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_now timestamptz := least(p_now, audit.at());
    v_name text := 'body_' || to_char(p_month, 'YYYY_MM');
    v_stays text := 'staying_' || to_char(p_month, 'YYYY_MM');
    v_first timestamptz := date_trunc('month', p_month)::timestamp at time zone 'UTC';
    v_end timestamptz := (date_trunc('month', p_month) + interval '1 month')::timestamp
        at time zone 'UTC';
    v_before text := current_setting('app.tenant', true);
    v_tenant int;
    v_rule audit.retention;
    v_part record;
    v_held record;
    v_gone bigint[] := '{}';
    v_copied bigint;
    v_staying bigint := 0;
begin
    perform pg_advisory_xact_lock(hashtext('audit.erase'));
    if to_regclass('audit.' || v_name) is null then
        return 0;
    end if;
    for v_tenant in select id from public.tenant order by id loop
        perform set_config('app.tenant', v_tenant::text, true);
        select * into v_rule from audit.retention
        where tenant_id = v_tenant and valid_from <= v_now
        order by valid_from desc
        limit 1;
        continue when not found or v_end + make_interval(years => v_rule.years) > v_now;
        select count(*) filter (where h.id is not null) as records,
            array_agg(distinct h.id) filter (where h.id is not null) as ids
        into v_held
        from audit.body b
        cross join lateral (select audit.hold_of(b.entry_id, b.recorded_at, b.event) as id) h
        where b.tenant_id = v_tenant and b.recorded_at >= v_first and b.recorded_at < v_end
            and exists (
                select 1 from public.log_hold one
                where one.tenant_id = v_tenant and one.lifted_at is null
                    and one.declined_at is null
            );
        for v_part in
            select f.log, array_agg(f.leaf_index) as leaves, array_agg(f.entry_id) as entries
            from audit.body b
            join audit.leaf f on f.tenant_id = v_tenant and f.entry_id = b.entry_id
            where b.tenant_id = v_tenant and b.recorded_at >= v_first and b.recorded_at < v_end
                and b.event not in ('record.erased', 'log.key_added', 'log.reopened')
                and (v_held.ids is null
                    or audit.hold_of(b.entry_id, b.recorded_at, b.event) is null)
            group by f.log
            order by f.log
        loop
            perform audit.enter_erasure(
                'retention', v_part.log, v_part.leaves, v_rule.decision, v_rule.law,
                v_rule.decided_by, v_rule.done_by, p_actor,
                json_build_object(
                    'month', to_char(p_month, 'YYYY-MM'), 'years', v_rule.years,
                    'held', coalesce(v_held.records, 0),
                    'holds', coalesce(to_json(v_held.ids), '[]'::json)
                )
            );
            v_gone := v_gone || v_part.entries;
        end loop;
    end loop;
    if cardinality(v_gone) > 0 then
        execute format('create table audit.%I (like audit.body including all)', v_stays);
        for v_tenant in select id from public.tenant order by id loop
            perform set_config('app.tenant', v_tenant::text, true);
            execute format(
                'insert into audit.%I (entry_id, tenant_id, recorded_at, event, seed, actor, '
                '    subject, what, basis, persons) '
                'select entry_id, tenant_id, recorded_at, event, seed, actor, subject, what, '
                '    basis, persons '
                'from audit.body where tenant_id = $1 and recorded_at >= $2 and recorded_at < $3 '
                '    and not (entry_id = any($4))',
                v_stays
            ) using v_tenant, v_first, v_end, v_gone;
            get diagnostics v_copied = row_count;
            v_staying := v_staying + v_copied;
        end loop;
        perform set_config('app.tenant', '', true);
        execute format('alter table audit.body detach partition audit.%I', v_name);
        execute format('drop table audit.%I', v_name);
        if v_staying = 0 then
            execute format('drop table audit.%I', v_stays);
        else
            execute format('alter table audit.%I rename to %I', v_stays, v_name);
            execute format(
                'alter table audit.body attach partition audit.%I for values from (%L) to (%L)',
                v_name, v_first, v_end
            );
            perform audit.wall_partition(format('audit.%I', v_name)::regclass);
        end if;
    end if;
    perform set_config('app.tenant', coalesce(v_before, ''), true);
    return cardinality(v_gone);
end
$$;

-- The municipality's records of erasures, for the journal beside its backups.
create function audit.erasures()
returns table (entry_id bigint, data bytea, seed bytea, what text, basis text)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select b.entry_id, e.data, b.seed, b.what, b.basis
    from audit.body b
    join audit.entry e on e.tenant_id = b.tenant_id and e.entry_id = b.entry_id
    where b.tenant_id = public.app_tenant() and b.event = 'record.erased'
    order by b.entry_id
$$;

-- As before, but what the check of the log goes by is written by those alone who keep the log.
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
    if p_event in ('record.erased', 'log.key_added', 'log.reopened', 'log.stopped')
        and session_user in ('telecare_app', 'telecare_ingest')
    then
        raise exception 'not a record of the server''s' using errcode = 'insufficient_privilege';
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

revoke execute on all functions in schema audit from public;
grant execute on function
    audit.append(text, text, uuid[], text[], text, text),
    audit.erase(text, int, bigint[], bigint[], text, text, text, text, text),
    audit.erasures(),
    audit.old_months(timestamptz),
    audit.drop_month(date, timestamptz, text)
    to telecare_eraser;
grant execute on function audit.hold_of(bigint, timestamptz, text) to telecare_reader;
revoke execute on function audit.make_partitions(int) from telecare_app;
grant execute on function audit.make_partitions(int) to telecare_definer;

reset role;

create function due_partition(p_months_ahead int) returns int
language sql security definer set search_path = pg_catalog, pg_temp
as $$ select audit.make_partitions(p_months_ahead) $$;
alter function due_partition(int) owner to telecare_definer;
revoke execute on function due_partition(int) from public;
grant execute on function due_partition(int) to telecare_app;
