-- Closed units of a whole batch of messages by one question: a flood in their names is refused as
-- cheaply as any other. `revoked_unit_of` is left to servers of the version before.

create function revoked_units_of(p_units text[])
returns table (
    unit_id text, tenant_id int, endpoint_id uuid, resident_id uuid, public_key bytea, mac_key bytea
)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select u.id, u.tenant_id, u.endpoint_id, e.resident_id, u.public_key, u.mac_key
    from public.edge_unit u
    join public.endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
    where u.id = any(p_units) and u.revoked_at is not null
$$;
alter function revoked_units_of(text[]) owner to telecare_definer;
revoke execute on function revoked_units_of(text[]) from public;
grant execute on function revoked_units_of(text[]) to telecare_app;
