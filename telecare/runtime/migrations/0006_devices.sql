-- Endpoints in homes (TV pages and home units), pairing, presence, and units' numbered events.

create table endpoint (
    tenant_id int not null references tenant,
    id uuid not null,
    resident_id uuid not null,
    kind text not null check (kind in ('tv', 'unit')),
    label text not null,
    has_picture boolean not null,
    paired_at timestamptz not null,
    seen_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, resident_id) references resident (tenant_id, id)
);
create index endpoint_of on endpoint (tenant_id, resident_id) where ended_at is null;

alter table session add foreign key (tenant_id, endpoint_id) references endpoint (tenant_id, id);

create table edge_unit (
    tenant_id int not null references tenant,
    id text not null unique check (id ~ '^u-[a-z2-7]{26}$'),
    endpoint_id uuid not null,
    public_key bytea not null check (octet_length(public_key) = 32),
    mac_key bytea not null check (octet_length(mac_key) = 32),
    enrolled_at timestamptz not null,
    revoked_at timestamptz,
    is_online boolean not null default false,
    seen_at timestamptz,
    boot uuid,
    screen text not null default 'unknown' check (screen in ('on', 'off', 'unknown')),
    cameras jsonb not null default '{}',
    cameras_at timestamptz,
    version text,
    primary key (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references endpoint (tenant_id, id)
);

-- Codes that wait: six letters shown by a TV page, or eight characters typed into a home unit.
-- A TV's code has no tenant until somebody signed in types it.
create table pairing (
    tenant_id int references tenant,
    id uuid not null primary key,
    kind text not null check (kind in ('tv', 'unit')),
    code_hash bytea not null,
    poll_hash bytea unique,       -- TV: who may ask whether it is paired yet
    resident_id uuid,             -- unit: fixed when the code is made
    label text not null default '',
    expires_at timestamptz not null,
    tries int not null default 0,
    used_at timestamptz,
    word int,                     -- number of the word both screens show
    endpoint_id uuid,
    foreign key (tenant_id, resident_id) references resident (tenant_id, id),
    foreign key (tenant_id, endpoint_id) references endpoint (tenant_id, id)
);
create unique index pairing_code on pairing (kind, code_hash) where used_at is null;

-- What units report, stored once. Telemetry is partitioned when its issue comes; camera records
-- are few.
create table edge_event (
    tenant_id int not null references tenant,
    unit_id text not null,
    boot uuid not null,
    seq bigint not null,
    kind text not null,
    occurred_at timestamptz not null,
    clock_ok boolean not null,
    received_at timestamptz not null,
    payload jsonb not null,
    primary key (tenant_id, unit_id, boot, seq),
    foreign key (tenant_id, unit_id) references edge_unit (tenant_id, id)
);

create table event_reject (
    id bigint generated always as identity primary key,
    received_at timestamptz not null,
    topic text not null,
    reason text not null,
    payload_sha256 bytea not null
);
grant insert on event_reject to telecare_app, telecare_ingest;
grant select on event_reject to telecare_ingest;

select wall(t) from unnest(array['endpoint', 'edge_unit', 'pairing', 'edge_event']::regclass[]) t;
select open_to_definer(t) from unnest(array['endpoint', 'edge_unit', 'pairing']::regclass[]) as t;
grant select, insert, update on endpoint, edge_unit to telecare_app;
grant select, insert, update on pairing to telecare_app;
grant select, insert on edge_event to telecare_app;

create function unit_of(p_unit text)
returns table (tenant_id int, endpoint_id uuid, resident_id uuid, public_key bytea, mac_key bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select u.tenant_id, u.endpoint_id, e.resident_id, u.public_key, u.mac_key
    from public.edge_unit u
    join public.endpoint e on e.tenant_id = u.tenant_id and e.id = u.endpoint_id
    where u.id = p_unit and u.revoked_at is null and e.ended_at is null;
    perform set_config('app.tenant', u.tenant_id::text, true)
    from public.edge_unit u
    where u.id = p_unit and u.revoked_at is null;
end
$$;

-- A waiting TV page's code, made before any tenant is known.
create function begin_tv_pairing(
    p_id uuid, p_code_hash bytea, p_poll_hash bytea, p_now timestamptz, p_until timestamptz
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    delete from public.pairing where expires_at < p_now - interval '1 day' and used_at is null;
    update public.pairing set used_at = p_now, code_hash = sha256(code_hash)
    where kind = 'tv' and code_hash = p_code_hash and used_at is null and expires_at <= p_now;
    insert into public.pairing (id, kind, code_hash, poll_hash, expires_at)
    values (p_id, 'tv', p_code_hash, p_poll_hash, p_until)
    on conflict do nothing;
    return found;
end
$$;

-- The waiting TV whose code this is, claimed for the tenant of this transaction. Expired codes
-- are returned too, so that the refusal can say so.
create function claim_tv_pairing(p_code_hash bytea)
returns table (id uuid, expires_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    update public.pairing p set tenant_id = public.app_tenant()
    where p.kind = 'tv' and p.code_hash = p_code_hash and p.used_at is null
        and p.tenant_id is null and public.app_tenant() is not null
    returning p.id, p.expires_at;
end
$$;

-- The TV asks with its own secret; sets the tenant once it is paired.
create function pairing_of(p_poll_hash bytea)
returns table (tenant_id int, id uuid, expires_at timestamptz, used_at timestamptz, word int,
    endpoint_id uuid)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select p.tenant_id, p.id, p.expires_at, p.used_at, p.word, p.endpoint_id
    from public.pairing p where p.poll_hash = p_poll_hash;
    perform set_config('app.tenant', p.tenant_id::text, true)
    from public.pairing p where p.poll_hash = p_poll_hash and p.tenant_id is not null;
end
$$;

-- A unit's enrolment code; counts the try whatever comes of it.
create function unit_pairing_of(p_code_hash bytea)
returns table (tenant_id int, id uuid, resident_id uuid, label text, expires_at timestamptz, tries int)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    update public.pairing p set tries = p.tries + 1
    where p.kind = 'unit' and p.code_hash = p_code_hash and p.used_at is null
    returning p.tenant_id, p.id, p.resident_id, p.label, p.expires_at, p.tries;
    perform set_config('app.tenant', p.tenant_id::text, true)
    from public.pairing p
    where p.kind = 'unit' and p.code_hash = p_code_hash and p.used_at is null;
end
$$;

-- Presence in bulk (last-seen is kept in memory and flushed): no tenant, times only.
create function mark_seen(p_units text[], p_seen timestamptz[]) returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    update public.edge_unit u set seen_at = s.seen, is_online = true
    from unnest(p_units, p_seen) as s (id, seen)
    where u.id = s.id and u.revoked_at is null;
    update public.endpoint e set seen_at = s.seen
    from unnest(p_units, p_seen) as s (id, seen)
    join public.edge_unit u on u.id = s.id
    where e.tenant_id = u.tenant_id and e.id = u.endpoint_id;
$$;

alter function unit_of(text) owner to telecare_definer;
alter function begin_tv_pairing(uuid, bytea, bytea, timestamptz, timestamptz) owner to telecare_definer;
alter function claim_tv_pairing(bytea) owner to telecare_definer;
alter function pairing_of(bytea) owner to telecare_definer;
alter function unit_pairing_of(bytea) owner to telecare_definer;
alter function mark_seen(text[], timestamptz[]) owner to telecare_definer;
revoke execute on function unit_of(text), claim_tv_pairing(bytea), pairing_of(bytea),
    begin_tv_pairing(uuid, bytea, bytea, timestamptz, timestamptz), unit_pairing_of(bytea),
    mark_seen(text[], timestamptz[]) from public;
grant execute on function unit_of(text), claim_tv_pairing(bytea), pairing_of(bytea),
    begin_tv_pairing(uuid, bytea, bytea, timestamptz, timestamptz), unit_pairing_of(bytea),
    mark_seen(text[], timestamptz[]) to telecare_app, telecare_ingest;
