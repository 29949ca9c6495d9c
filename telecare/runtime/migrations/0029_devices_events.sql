-- What devices in the homes report, month by month. Camera records stay in edge_event: they are few,
-- and kept as long as the log is compared with them.

create table event (
    tenant_id int not null,
    unit_id text not null,
    boot uuid not null,
    seq bigint not null,
    kind text not null,
    occurred_at timestamptz not null,
    clock_ok boolean not null,
    received_at timestamptz not null,
    partition_at timestamptz not null,  -- occurred_at, or 1970 when no month can be meant
    payload jsonb not null,
    primary key (tenant_id, unit_id, boot, seq, partition_at)
) partition by range (partition_at);
create index event_occurred on event using brin (occurred_at);

select wall('event');
create policy ingest_adds on event for insert to telecare_ingest with check (true);
create policy ingest_finds on event for select to telecare_ingest using (true);
grant select on event to telecare_app;
grant insert, select (tenant_id, unit_id, boot, seq, partition_at) on event to telecare_ingest;

-- The events of the clocks that were wrong.
create table event_without_date partition of event
    for values from ('1970-01-01 00:00Z') to ('1970-01-02 00:00Z');
alter table event_without_date enable row level security;
alter table event_without_date force row level security;

-- Tables for this month and as many ahead (and the last one: units come back after weeks).
create function make_event_partitions(p_now timestamptz, p_months_ahead int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
declare
    v_first date := date_trunc('month', p_now at time zone 'UTC')::date;
    v_start date;
    v_name text;
    v_made int := 0;
begin
    perform pg_advisory_xact_lock(hashtext('make_event_partitions'));
    for i in -1 .. least(p_months_ahead, 24) loop
        v_start := (v_first + make_interval(months => i))::date;
        v_name := 'event_' || to_char(v_start, 'YYYY_MM');
        if to_regclass('public.' || v_name) is null then
            execute format(
                'create table public.%I partition of public.event for values from (%L) to (%L)',
                v_name,
                v_start::timestamp at time zone 'UTC',
                (v_start + interval '1 month') at time zone 'UTC'
            );
            execute format('alter table public.%I enable row level security', v_name);
            execute format('alter table public.%I force row level security', v_name);
            v_made := v_made + 1;
        end if;
    end loop;
    return v_made;
end
$$;

-- The months that have a table, oldest first.
create function event_months() returns table (name text, since timestamptz, before timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select c.relname::text, m.since, (m.since at time zone 'UTC' + interval '1 month') at time zone 'UTC'
    from pg_inherits i
    join pg_class c on c.oid = i.inhrelid
    cross join lateral (
        select to_date(substr(c.relname, 7), 'YYYY_MM')::timestamp at time zone 'UTC' as since
    ) m
    where i.inhparent = 'public.event'::regclass and not i.inhdetachpending
        and c.relname ~ '^event_\d{4}_\d{2}$'
    order by c.relname
$$;

-- Enrolled units of a batch of messages, of any municipality.
create function units_of(p_units text[])
returns table (
    unit_id text, tenant_id int, endpoint_id uuid, resident_id uuid, public_key bytea, mac_key bytea
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select u.id, u.tenant_id, u.endpoint_id, e.resident_id, u.public_key, u.mac_key
    from public.edge_unit u
    join public.endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
    where u.id = any(p_units) and u.revoked_at is null and e.ended_at is null
$$;

alter table event_without_date owner to telecare_events;
alter table event owner to telecare_events;
alter function make_event_partitions(timestamptz, int) owner to telecare_events;
alter function event_months() owner to telecare_definer;
alter function units_of(text[]) owner to telecare_definer;
revoke execute on function make_event_partitions(timestamptz, int), event_months(), units_of(text[])
    from public;
grant execute on function make_event_partitions(timestamptz, int) to telecare_app, telecare_owner;
grant execute on function event_months() to telecare_app, telecare_ingest, telecare_eraser;
grant execute on function units_of(text[]) to telecare_app, telecare_ingest;
