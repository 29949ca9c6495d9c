-- Who may do what, where, since when and until when (behörighetstilldelning). Never deleted.

create table access_grant (
    tenant_id int not null references tenant,
    id uuid not null,
    staff_id uuid not null,
    unit_id uuid not null,
    role text not null check (role in (
        'omsorgspersonal', 'nattillsyn', 'samordnare', 'enhetschef', 'larmmottagare', 'granskare',
        'systemforvaltare'
    )),
    valid_from timestamptz not null,
    valid_until timestamptz,
    trained_on date,
    primary key (tenant_id, id),
    check (valid_until is null or valid_until >= valid_from),
    check (role <> 'nattillsyn' or (trained_on is not null and valid_until is not null)),
    foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id)
);
create index access_grant_of on access_grant (tenant_id, staff_id);
create index access_grant_in on access_grant (tenant_id, unit_id, role);

insert into access_grant (tenant_id, id, staff_id, unit_id, role, valid_from)
select s.tenant_id, gen_random_uuid(), s.id, s.unit_id, r.role, clock_timestamp()
from staff s cross join unnest(s.roles) as r (role);

-- The column goes in a later migration, when no server that reads it is running any more.
alter table staff alter column roles set default '{}';

select wall('access_grant');
select open_to_definer('access_grant');
grant select, insert on access_grant to telecare_app;
grant update (valid_until) on access_grant to telecare_app;

-- Recorded by this trigger only, whoever writes it (style §4).
create function record_grant() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'UPDATE' and new.valid_until is not distinct from old.valid_until then
        return null;
    end if;
    perform audit.append(
        case when tg_op = 'INSERT' then 'role.given' else 'role.changed' end,
        public.app_actor(), '{}', '{}',
        json_strip_nulls(json_build_object(
            'grant_id', new.id, 'role', new.role, 'staff_id', new.staff_id,
            'trained_on', new.trained_on, 'unit_id', new.unit_id,
            'valid_from', new.valid_from, 'valid_until', new.valid_until
        ))::text,
        '{}'
    );
    return null;
end
$$;
alter function record_grant() owner to telecare_definer;
create constraint trigger grant_recorded after insert or update on access_grant
    deferrable initially deferred for each row execute function record_grant();

-- A lost key is ended, not forgotten.
alter table passkey add column ended_at timestamptz;
create or replace function passkey_of(p_credential_id bytea)
returns table (tenant_id int, staff_id uuid, public_key bytea, sign_count bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp
as $$
#variable_conflict use_column
begin
    return query
    select k.tenant_id, k.staff_id, k.public_key, k.sign_count
    from public.passkey k
    where k.credential_id = p_credential_id and k.ended_at is null;
    perform set_config('app.tenant', k.tenant_id::text, true)
    from public.passkey k
    where k.credential_id = p_credential_id and k.ended_at is null;
end
$$;

-- That somebody has gone through who may do what in a unit (HSLF-FS 2016:40 4 kap. 3 §).
create table rights_review (
    tenant_id int not null references tenant,
    id uuid not null,
    unit_id uuid not null,
    reviewed_by uuid not null,
    reviewed_at timestamptz not null,
    primary key (tenant_id, id),
    foreign key (tenant_id, unit_id) references care_unit (tenant_id, id),
    foreign key (tenant_id, reviewed_by) references staff (tenant_id, id)
);
select wall('rights_review');
grant select, insert on rights_review to telecare_app;
