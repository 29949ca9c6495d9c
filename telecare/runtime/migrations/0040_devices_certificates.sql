-- Certificates by which home units come through the broker's door.

create table unit_certificate (
    tenant_id int not null references tenant,
    unit_id text not null,
    serial text not null check (serial ~ '^[0-9a-f]{1,40}$'),
    pem text not null,
    issued_at timestamptz not null,
    valid_until timestamptz not null,
    primary key (tenant_id, unit_id, serial),
    foreign key (tenant_id, unit_id) references edge_unit (tenant_id, id)
);
create index unit_certificate_until on unit_certificate (valid_until);

select wall('unit_certificate');
select open_to_definer('unit_certificate');
grant select, insert on unit_certificate to telecare_app;

-- Of every municipality: what the broker must refuse, though it has not expired.
create function revoked_certificates(p_now timestamptz)
returns table (unit_id text, serial text, revoked_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
as $$
    select c.unit_id, c.serial, u.revoked_at
    from public.unit_certificate c
    join public.edge_unit u on u.tenant_id = c.tenant_id and u.id = c.unit_id
    where u.revoked_at is not null and c.valid_until > p_now
    order by c.serial
$$;
alter function revoked_certificates(timestamptz) owner to telecare_definer;
revoke execute on function revoked_certificates(timestamptz) from public;
grant execute on function revoked_certificates(timestamptz) to telecare_app;
