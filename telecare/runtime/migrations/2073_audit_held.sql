-- What holds keep of a month is found once for each hold, not once for each record: with a million
-- records a hold would otherwise have kept the month from ever falling.

set role telecare_audit;
create function audit.held(p_since timestamptz, p_before timestamptz)
returns table (entry_id bigint, hold uuid)
language sql stable
as $$
    select b.entry_id, h.id
    from public.log_hold h
    join audit.body b on b.tenant_id = h.tenant_id
        and (h.event is null or b.event = h.event)
        and (h.since is null or b.recorded_at >= h.since)
        and (h.until is null or b.recorded_at < h.until)
    where h.tenant_id = public.app_tenant() and h.lifted_at is null and h.declined_at is null
        and b.recorded_at >= p_since and b.recorded_at < p_before
        and (h.resident_id is null or exists (
            select from audit.subject_entry s
            where s.tenant_id = h.tenant_id and s.resident_id = h.resident_id
                and s.entry_id = b.entry_id
        ))
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
        select coalesce(array_agg(distinct k.entry_id), '{}') as entries,
            array_agg(distinct k.hold) as ids
        into v_held
        from audit.held(v_first, v_end) k;
        for v_part in
            select f.log, array_agg(f.leaf_index) as leaves, array_agg(f.entry_id) as entries
            from audit.body b
            join audit.leaf f on f.tenant_id = v_tenant and f.entry_id = b.entry_id
            where b.tenant_id = v_tenant and b.recorded_at >= v_first and b.recorded_at < v_end
                and b.event not in ('record.erased', 'log.key_added', 'log.reopened')
                and not exists (select from unnest(v_held.entries) k where k = b.entry_id)
            group by f.log
            order by f.log
        loop
            perform audit.enter_erasure(
                'retention', v_part.log, v_part.leaves, v_rule.decision, v_rule.law,
                v_rule.decided_by, v_rule.done_by, p_actor,
                json_build_object(
                    'month', to_char(p_month, 'YYYY-MM'), 'years', v_rule.years,
                    'held', cardinality(v_held.entries),
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
