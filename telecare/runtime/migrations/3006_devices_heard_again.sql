-- A sign of life after a silence is no news of its own: what was said before stands. Whose screens show
-- it is told to whoever writes the signs; and a process that begins reads what every unit has said.

drop function mark_seen(text[], timestamptz[]);
create function mark_seen(p_units text[], p_seen timestamptz[], p_silence interval)
returns table (unit_id uuid, resident_id uuid)
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with before as (
        select u.id, u.seen_at, s.seen
        from public.edge_unit u
        join unnest(p_units, p_seen) as s (id, seen) on s.id = u.id
        where u.revoked_at is null and u.is_online and u.seen_at < s.seen
        for update of u
    ), alive as (
        update public.edge_unit u set seen_at = b.seen, cameras_at = b.seen
        from before b
        where u.id = b.id
        returning u.tenant_id, u.endpoint_id, b.seen, b.seen - b.seen_at >= p_silence as was_silent
    ), known as (
        update public.endpoint e set seen_at = alive.seen
        from alive
        where e.tenant_id = alive.tenant_id and e.id = alive.endpoint_id
        returning e.tenant_id, e.resident_id, alive.was_silent
    )
    select r.unit_id, r.id
    from known k
    join public.resident r on r.tenant_id = k.tenant_id and r.id = k.resident_id
    where k.was_silent
$$;

create function said_by_units()
returns table (
    unit_id text, is_online boolean, boot uuid, screen text, cameras jsonb, version text,
    mains boolean, battery_percent int, path text
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select u.id, u.is_online, u.boot, u.screen, u.cameras, u.version, u.mains, u.battery_percent,
        u.path
    from public.edge_unit u
    where u.revoked_at is null and u.boot is not null
$$;

alter function mark_seen(text[], timestamptz[], interval) owner to telecare_definer;
alter function said_by_units() owner to telecare_definer;
revoke execute on function mark_seen(text[], timestamptz[], interval), said_by_units() from public;
grant execute on function mark_seen(text[], timestamptz[], interval), said_by_units()
    to telecare_app;
