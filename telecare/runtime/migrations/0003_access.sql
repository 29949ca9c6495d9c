-- Staff, care units, shifts, assignments and sessions.

create table provider (
    tenant_id int not null references tenant,
    id uuid not null,
    name text not null,
    primary key (tenant_id, id)
);

create table care_unit (
    tenant_id int not null references tenant,
    id uuid not null,
    provider_id uuid not null,
    name text not null,
    phone text not null,
    next_unit_id uuid,  -- who is asked next when nobody here answers
    primary key (tenant_id, id),
    foreign key (tenant_id, provider_id) references provider (tenant_id, id),
    foreign key (tenant_id, next_unit_id) references care_unit (tenant_id, id)
);

-- A unit may cover another unit's residents at given local hours (from > until: over midnight).
create table unit_cover (
    tenant_id int not null references tenant,
    unit_id uuid not null,
    covers_unit_id uuid not null,
    from_time time not null,
    until_time time not null,
    primary key (tenant_id, unit_id, covers_unit_id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, covers_unit_id) references care_unit (tenant_id, id)
);

create table staff (
    tenant_id int not null references tenant,
    id uuid not null,
    name text not null,
    given_name text not null,
    unit_id uuid not null,
    roles text[] not null check (
        roles <@ array['omsorgspersonal', 'samordnare', 'enhetschef']
    ),
    languages text[] not null default '{sv}',
    language text not null default 'sv' check (language in ('sv', 'fi', 'en')),
    ends_at timestamptz,
    revoked_at timestamptz,
    locked_at timestamptz,  -- never written: UPDATE right on it is what FOR SHARE asks for
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
create index staff_of_unit on staff (tenant_id, unit_id);

create table passkey (
    tenant_id int not null references tenant,
    staff_id uuid not null,
    credential_id bytea not null,
    public_key bytea not null,
    sign_count bigint not null,
    created_at timestamptz not null,
    primary key (tenant_id, credential_id),
    unique (credential_id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id)
);

-- One-time links that let somebody register a passkey. Only the hash is kept.
create table invitation (
    tenant_id int not null references tenant,
    token_hash bytea not null,
    staff_id uuid not null,
    expires_at timestamptz not null,
    used_at timestamptz,
    primary key (tenant_id, token_hash),
    unique (token_hash),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id)
);

-- WebAuthn challenges between begin and finish; no tenant is known before sign-in.
create table challenge (
    tenant_id int references tenant,
    token_hash bytea not null primary key,
    challenge bytea not null,
    expires_at timestamptz not null
);

create table shift (
    tenant_id int not null references tenant,
    id uuid not null,
    staff_id uuid not null,
    unit_id uuid not null,
    begun_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
create unique index shift_one_open on shift (tenant_id, staff_id) where ended_at is null;
create index shift_of_unit on shift (tenant_id, unit_id) where ended_at is null;

-- Whole sessions of browsers: of a member of staff, or of a TV page. Only hashes of tokens.
create table session (
    tenant_id int not null references tenant,
    id uuid not null,
    token_hash bytea not null unique,
    kind text not null check (kind in ('staff', 'tv')),
    staff_id uuid,
    endpoint_id uuid,
    resident_id uuid,  -- whose home the screen stands in
    signed_in_by text not null check (signed_in_by in ('passkey', 'demo', 'pairing')),
    created_at timestamptz not null,
    used_at timestamptz not null,
    expires_at timestamptz,
    page_locked_at timestamptz,
    ended_at timestamptz,
    primary key (tenant_id, id),
    check ((kind = 'staff') = (staff_id is not null)),
    check ((kind = 'tv') = (endpoint_id is not null and resident_id is not null)),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id)
);
create index session_of_staff on session (tenant_id, staff_id) where ended_at is null;

select wall(t) from unnest(array[
    'provider', 'care_unit', 'unit_cover', 'staff', 'passkey', 'invitation', 'challenge', 'shift',
    'session'
]::regclass[]) as t;
select open_to_definer(t) from unnest(array[
    'passkey', 'invitation', 'challenge', 'session'
]::regclass[]) as t;

grant select, insert, update on provider, care_unit, passkey, invitation, shift, session to telecare_app;
grant select, insert, update, delete on unit_cover to telecare_app;
grant select, insert on staff to telecare_app;
grant update (name, given_name, unit_id, roles, languages, language, ends_at, revoked_at, locked_at)
    on staff to telecare_app;

-- Functions across tenants: each finds one row by a secret or a due time and sets the tenant for
-- the rest of the transaction.
create function session_of(p_token_hash bytea)
returns table (tenant_id int, id uuid, kind text, staff_id uuid, endpoint_id uuid,
    resident_id uuid, signed_in_by text, used_at timestamptz, expires_at timestamptz, page_locked_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select s.tenant_id, s.id, s.kind, s.staff_id, s.endpoint_id,
        s.resident_id, s.signed_in_by, s.used_at, s.expires_at, s.page_locked_at
    from public.session s
    where s.token_hash = p_token_hash and s.ended_at is null;
    perform set_config('app.tenant', s.tenant_id::text, true)
    from public.session s
    where s.token_hash = p_token_hash and s.ended_at is null;
end
$$;

create function invitation_of(p_token_hash bytea)
returns table (tenant_id int, staff_id uuid, expires_at timestamptz, used_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select i.tenant_id, i.staff_id, i.expires_at, i.used_at
    from public.invitation i
    where i.token_hash = p_token_hash
    for update;
    perform set_config('app.tenant', i.tenant_id::text, true)
    from public.invitation i
    where i.token_hash = p_token_hash;
end
$$;

create function passkey_of(p_credential_id bytea)
returns table (tenant_id int, staff_id uuid, public_key bytea, sign_count bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select k.tenant_id, k.staff_id, k.public_key, k.sign_count
    from public.passkey k
    where k.credential_id = p_credential_id;
    perform set_config('app.tenant', k.tenant_id::text, true)
    from public.passkey k
    where k.credential_id = p_credential_id;
end
$$;

create function keep_challenge(p_token_hash bytea, p_challenge bytea, p_now timestamptz, p_until timestamptz)
returns void
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    delete from public.challenge where expires_at < p_now;
    insert into public.challenge (token_hash, challenge, expires_at)
    values (p_token_hash, p_challenge, p_until);
$$;

create function take_challenge(p_token_hash bytea, p_now timestamptz) returns bytea
language sql security definer set search_path = pg_catalog, pg_temp
as $$
    delete from public.challenge
    where token_hash = p_token_hash and expires_at > p_now
    returning challenge
$$;

alter function session_of(bytea) owner to telecare_definer;
alter function invitation_of(bytea) owner to telecare_definer;
alter function passkey_of(bytea) owner to telecare_definer;
alter function keep_challenge(bytea, bytea, timestamptz, timestamptz) owner to telecare_definer;
alter function take_challenge(bytea, timestamptz) owner to telecare_definer;
revoke execute on function session_of(bytea), invitation_of(bytea), passkey_of(bytea),
    keep_challenge(bytea, bytea, timestamptz, timestamptz), take_challenge(bytea, timestamptz)
    from public;
grant execute on function session_of(bytea), invitation_of(bytea), passkey_of(bytea),
    keep_challenge(bytea, bytea, timestamptz, timestamptz), take_challenge(bytea, timestamptz)
    to telecare_app;
