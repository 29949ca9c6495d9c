-- A sign of life says what was said before, once more: the camera's state is as fresh as it is. It
-- never makes a unit online that has said goodbye since.

create or replace function mark_seen(p_units text[], p_seen timestamptz[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    with alive as (
        update public.edge_unit u set seen_at = s.seen, cameras_at = s.seen
        from unnest(p_units, p_seen) as s (id, seen)
        where u.id = s.id and u.revoked_at is null and u.is_online and u.seen_at < s.seen
        returning u.tenant_id, u.endpoint_id, s.seen
    )
    update public.endpoint e set seen_at = alive.seen
    from alive
    where e.tenant_id = alive.tenant_id and e.id = alive.endpoint_id;
$$;
