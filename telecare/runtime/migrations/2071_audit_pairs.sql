-- What a colleague has done about a resident is found by one index: whose act it was stands beside
-- the resident's number, until the text is erased.

set role telecare_audit;
alter table audit.subject_entry add column actor_id text;

create function audit.refuse_all_but_forgetting() returns trigger
language plpgsql
as $$
begin
    if tg_op = 'UPDATE' and session_user = 'telecare_eraser' and current_user = 'telecare_audit' then
        return null;
    end if;
    raise exception 'the log is append only' using errcode = 'insufficient_privilege';
end
$$;
drop trigger subject_entry_append_only on audit.subject_entry;
do $$
declare
    v_tenant int;
begin
    for v_tenant in select id from public.tenant loop
        perform set_config('app.tenant', v_tenant::text, true);
        update audit.subject_entry s set actor_id = b.actor_id
        from audit.body b
        where b.tenant_id = v_tenant and s.tenant_id = v_tenant and b.entry_id = s.entry_id
            and b.recorded_at = s.recorded_at;
    end loop;
    perform set_config('app.tenant', '', true);
end
$$;
create trigger subject_entry_append_only before update or delete or truncate on audit.subject_entry
    for each statement execute function audit.refuse_all_but_forgetting();
create index subject_entry_of_actor
    on audit.subject_entry (tenant_id, resident_id, actor_id, recorded_at desc) include (entry_id);

-- As before, but these write and forget whose act it was.
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
    insert into audit.subject_entry (tenant_id, resident_id, n, entry_id, recorded_at, actor_id)
    select v_tenant, s.id, s.n, v_entry, v_at, p_actor::jsonb ->> 'id'
    from unnest(v_ids, v_numbers) as s (id, n);
    return v_entry;
end
$$;

create or replace function audit.erase(
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
    update audit.subject_entry s set actor_id = null
    where s.tenant_id = v_tenant and s.entry_id = any(v_entries);
    return query select 'erased', null::bigint, null::uuid, cardinality(v_leaves)::bigint;
end
$$;

create or replace function audit.drop_month(p_month date, p_now timestamptz, p_actor text) returns bigint
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
            update audit.subject_entry s set actor_id = null
            where s.tenant_id = v_tenant and s.entry_id = any(v_part.entries);
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

revoke execute on all functions in schema audit from public;
reset role;
